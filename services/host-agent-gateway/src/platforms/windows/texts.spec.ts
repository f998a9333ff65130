import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import { Language, Parser } from 'web-tree-sitter';
import { windows } from '../windows.js';
import { untilReadyOnWindows } from './looks-text.js';
import { PS_COMMAND, PS_LINE, RUNNER_SHELL, TEXT_SHELL } from './start-text.js';

const FOLDER = "/C:/Users/o'neil/.berth-host";
const COPY = '00000000-0000-4000-8000-000000000001';
const decoded = (line: string): string => Buffer.from(line.slice(line.lastIndexOf(' ') + 1), 'base64').toString('utf16le');

/** Every PowerShell text that a Windows host is given. */
const TEXTS: Record<string, string> = {
  'runner shell': decoded(RUNNER_SHELL),
  'text shell': decoded(TEXT_SHELL),
  'command of an action': PS_COMMAND,
  facts: windows.facts(FOLDER),
  folders: windows.folders(FOLDER),
  remove: windows.remove(FOLDER, COPY),
  'empty working copy': windows.prepare(FOLDER, { copyId: COPY }),
  'default branch': windows.prepare(FOLDER, { copyId: COPY, repository: 'https://h/it’s.git' }),
  'a branch': windows.prepare(FOLDER, { copyId: COPY, repository: 'C:\\repos\\x', ref: 'main' }),
  'a commit': windows.prepare(FOLDER, { copyId: COPY, repository: 'ssh://git@h/x', ref: 'abcdef1' }),
  several: windows.prepare(FOLDER, { copyId: COPY, repository: 'https://h/a', also: { 'vendor/b': { repository: 'https://h/b', ref: 'v1' }, c: { repository: 'https://h/c' } } }),
  'without a main one': windows.prepare(FOLDER, { copyId: COPY, also: { 'b/c': { repository: 'https://h/b' } } }),
  checkout: windows.checkout(FOLDER, { repository: 'https://h/it’s.git', submodules: 'no', lfs: false }),
  'checkout of a branch, whole': windows.checkout(FOLDER, { repository: 'C:\\repos\\x', ref: 'main', path: 'a/b', submodules: 'yes', lfs: false }),
  'checkout of a commit, with all that there is': windows.checkout(FOLDER, { repository: 'https://h/a', ref: 'abcdef1', path: "it's\\there", depth: 1, submodules: 'recursive', lfs: true, secret: 'token' }),
  ready: untilReadyOnWindows("if (Test-Path 'x') { exit 1 }", 'berth-try'),
};

describe('PowerShell for Windows hosts', () => {
  let parser: Parser;
  beforeAll(async () => {
    await Parser.init();
    parser = new Parser();
    parser.setLanguage(await Language.load(createRequire(import.meta.url).resolve('tree-sitter-powershell/tree-sitter-powershell.wasm')));
  });

  it.each(Object.keys(TEXTS))('is well formed: %s', (name) => {
    const faults: string[] = [];
    const visit = (node: NonNullable<ReturnType<typeof parser.parse>>['rootNode']): void => {
      if (node.isError || node.isMissing) faults.push(`line ${node.startPosition.row + 1}: ${node.text.slice(0, 80)}`);
      for (const child of node.children) if (child) visit(child);
    };
    visit(parser.parse(TEXTS[name] ?? '')!.rootNode);
    expect(faults).toEqual([]);
  });

  it('never names the variable that would make PowerShell read what is meant for the runner', () => {
    expect(TEXTS['runner shell']).not.toMatch(/\$input/i);
    expect(TEXTS['text shell']).not.toMatch(/\$input/i);
  });

  it.each([RUNNER_SHELL, TEXT_SHELL])('opens its shell with words that neither cmd nor PowerShell takes for anything else, in a line that cmd still reads (%#)', (line) => {
    expect(line).toMatch(/^powershell\.exe( -[A-Za-z]+( Bypass| Text)?)+ [A-Za-z0-9+/=]+$/);
    expect(line.length).toBeLessThan(8_000);
    expect(PS_LINE.length).toBeLessThan(8_000);
  });
});
