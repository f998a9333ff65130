import type { CommandShell } from '@berth/contracts';
import { checkoutScript } from '../git/checkout.js';
import { keepScript, prepareScript, removeScript } from '../git/working-copy.js';
import { FACTS } from '../looks/facts-text.js';
import { LIST, REAP_INSIDE } from '../looks/folders-text.js';
import { envWords, fileWords, printfValue, shQuote } from '../runner/quote.js';
import { RUNNER } from '../runner/runner-text.js';
import { HostError } from '../transports/errors.js';
import { posixMeaning } from './exit-codes.js';
import { HOST_SHELL } from '../transports/transport.js';
import type { Platform } from './platform.js';

/** The shells that such a host may have, by the names of their programs. */
const PROGRAMS: Readonly<Record<Exclude<CommandShell, 'cmd'>, string>> = { sh: 'sh', bash: 'bash', powershell: 'pwsh' };

/** Linux, macOS, and whatever else has a POSIX shell. */
export const posix: Platform = {
  shell: HOST_SHELL,
  program: () => RUNNER,
  line: (name, request, args) => [name, request, ...args.map(shQuote)].join(' '),
  native: (path) => path,
  inside: (path) => path,
  start({ id, cwd, script, env, shell = 'sh', files = {} }, host) {
    if (shell === 'cmd') throw new HostError('shell', `Host ${host} does not run Windows, so it has no cmd: write the command for sh, bash or powershell, or ask for a host with os=windows.`);
    const words = [id, cwd, PROGRAMS[shell], script, ...fileWords(files, printfValue), ...envWords(env)];
    for (const word of words) shQuote(word);
    return words;
  },
  noShell: (host, shell = 'sh') => `Host ${host} has no ${shell === 'cmd' ? 'cmd' : PROGRAMS[shell]}: install it there, write the command for sh, or ask for a host that has it.`,
  meaning: posixMeaning,
  run: (transport, text) => transport.exec(`sh -c ${shQuote(text)} sh ${shQuote(transport.folder)}`),
  facts: () => FACTS,
  folders: () => LIST,
  prepare: prepareScript,
  checkout: checkoutScript,
  keep: keepScript,
  remove: (folder, copyId, inside = false) => removeScript(folder, copyId, inside ? REAP_INSIDE : ''),
  check: (command) => `exec 2>&1\n${command}`,
  untilReady: (command, mark) => `exec 2>&1
until echo; echo ${mark}; sh -e -c ${shQuote(command)}; do sleep 0.2 || sleep 1; done`,
};
