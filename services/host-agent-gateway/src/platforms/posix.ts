import { keepScript, prepareScript, removeScript } from '../git/working-copy.js';
import { FACTS } from '../looks/facts-text.js';
import { LIST, REAP_INSIDE } from '../looks/folders-text.js';
import { envWords, shQuote } from '../runner/quote.js';
import { RUNNER } from '../runner/runner-text.js';
import { HostError } from '../transports/errors.js';
import { HOST_SHELL } from '../transports/transport.js';
import type { Platform } from './platform.js';

/** Linux, macOS, and whatever else has a POSIX shell. */
export const posix: Platform = {
  shell: HOST_SHELL,
  program: () => RUNNER,
  line: (name, request, args) => [name, request, ...args.map(shQuote)].join(' '),
  native: (path) => path,
  start({ id, cwd, script, env, shell = 'sh' }) {
    if (shell === 'cmd') throw new HostError('invalid-value', 'Only Windows hosts have the shell cmd: use sh, bash or powershell here, or ask for a host with os=windows.');
    const words = [id, cwd, script, shell, ...envWords(env)];
    for (const word of words) shQuote(word);
    return words;
  },
  run: (transport, text) => transport.exec(`sh -c ${shQuote(text)} sh ${shQuote(transport.folder)}`),
  facts: () => FACTS,
  folders: () => LIST,
  prepare: prepareScript,
  keep: keepScript,
  remove: (folder, copyId, inside = false) => removeScript(folder, copyId, inside ? REAP_INSIDE : ''),
  check: (command) => `exec 2>&1\n${command}`,
  untilReady: (command, mark) => `exec 2>&1
until echo; echo ${mark}; sh -e -c ${shQuote(command)}; do sleep 0.2 || sleep 1; done`,
};
