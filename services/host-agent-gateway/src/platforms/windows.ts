import { envWords, fileWords } from '../runner/quote.js';
import { HostError } from '../transports/errors.js';
import type { ExecResult, Transport } from '../transports/transport.js';
import { windowsMeaning } from './exit-codes.js';
import type { Command, Platform } from './platform.js';
import { checkoutOnWindows } from './windows/checkout-text.js';
import { prepareOnWindows, removeOnWindows } from './windows/git-text.js';
import { factsOnWindows, foldersOnWindows, untilReadyOnWindows } from './windows/looks-text.js';
import { nativePath, psQuote } from './windows/quote.js';
import { CMD_LINE, cmdScript, END_MARK, PS_LINE, psScript, RUNNER_SHELL, runnerProgram, TEXT_SHELL, textLine } from './windows/start-text.js';

/** Windows with its own OpenSSH server. Paths are kept as its SFTP server writes them, `/C:/Users/x`, and turned where a program sees them. */
export const windows: Platform = {
  shell: RUNNER_SHELL,
  program: (folder) => runnerProgram(nativePath(`${folder}/runner`)),
  line: (name, request, args) => [name, request, ...args.map((arg) => `=${Buffer.from(arg, 'utf8').toString('base64')}`)].join(' '),
  native: nativePath,
  // Where each name is looked at before it is entered, none may be hidden in another.
  inside: (path) => path.replaceAll('\\', '/'),
  start(command, host) {
    const { id, cwd, env, files = {} } = command;
    // What cannot be in a variable, a path or a script there either.
    for (const word of [command.script, cwd, ...envWords(env)]) psQuote(word);
    return [id, nativePath(cwd), ...script(command, host), ...fileWords(files, (content) => content.toString('base64')), ...envWords(env)];
  },
  noShell: (host, shell = 'powershell') => `Host ${host} does not find ${shell}.exe on its PATH: put the folder of Windows that has it back there, or ask for another host.`,
  meaning: windowsMeaning,
  run: runText,
  facts: factsOnWindows,
  folders: foldersOnWindows,
  prepare: prepareOnWindows,
  checkout: checkoutOnWindows,
  remove: removeOnWindows,
  check: (command) => command,
  untilReady: untilReadyOnWindows,
};

/** File of the script, its text, and the command line that runs it. */
function script({ script: text, shell = 'powershell' }: Command, host: string): [string, string, string] {
  switch (shell) {
    case 'powershell':
      return ['script.ps1', psScript(text), PS_LINE];
    case 'cmd':
      return ['script.cmd', cmdScript(text), CMD_LINE];
    case 'sh':
    case 'bash':
      throw new HostError('shell', `Host ${host} runs Windows, which has no ${shell} of its own: write the command for powershell or cmd, and start ${shell} from it where it is installed; or ask for a host with os=linux|mac.`);
  }
}

/** On a shell of its own: the text is a line of its input, so no login shell can take it for something else, however long it is. */
async function runText(transport: Transport, text: string): Promise<ExecResult> {
  const shell = await transport.openShell(TEXT_SHELL);
  const lines: string[] = [];
  const over = new Promise<ExecResult>((resolve) => {
    const end = (code: number, said: string): void => resolve({ code, stdout: Buffer.from(lines.map((line) => `${line}\n`).join('')), stderr: Buffer.from(said) });
    let code: number | undefined;
    shell.onLine((raw) => {
      const line = raw.replace(/\r$/, '');
      const told = new RegExp(`^${END_MARK} (\\d+)$`).exec(line)?.[1];
      if (told === undefined) lines.push(line);
      else code = Number(told);
      // What went wrong is told when the shell ends, which it does by itself.
      if (code === 0) end(code, '');
    });
    shell.onClose((diagnosis) => end(code ?? 255, diagnosis));
  });
  shell.write(textLine(text));
  try {
    return await over;
  } finally {
    shell.close();
  }
}
