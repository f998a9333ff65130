import { describe, expect, test } from 'vitest';
import { readPlan } from './plan-yaml.js';

const wordcount = `name: wordcount
host: { os: linux }                     # attributes the host must have
workingCopy: { repository: ./examples/wordcount, ref: main }
env: { CI: "true", LEVEL: 3 }
steps:
  - name: Test
    run: npm test
    timeout: 10m
  - name: Package
    run: tar czf wordcount.tgz src package.json
  - name: Keep the package
    uses: upload-artifact
    with: { path: wordcount.tgz }
`;

test('a plan is read, with durations in milliseconds and every value plain', () => {
  expect(readPlan(wordcount)).toEqual({
    name: 'wordcount',
    host: { os: 'linux' },
    workingCopy: { repository: './examples/wordcount', ref: 'main' },
    infrastructureRetries: 3,
    env: { CI: 'true', LEVEL: '3' },
    steps: [
      { name: 'Test', id: 'test', needs: [], run: 'npm test', timeout: 600_000 },
      { name: 'Package', id: 'package', needs: [0], run: 'tar czf wordcount.tgz src package.json' },
      { name: 'Keep the package', id: 'keep-the-package', needs: [1], uses: 'upload-artifact', with: { path: ['wordcount.tgz'] } },
    ],
  });
});
test('what the host must be is written as expressions, numbers and lists', () => {
  const host = "{ os: [linux, mac], cpus: '>=8', memory: '>=16GiB', gpu: true, slots: 2, market: '!spot' }";
  expect(readPlan(wordcount.replace('{ os: linux }', host))).toMatchObject({ host: { os: 'linux|mac', cpus: '>=8', memory: '>=16GiB', gpu: 'true', slots: '2', market: '!spot' } });
});
test('retries and holds', () => {
  expect(readPlan(`infrastructureRetries: 0\nholdOnFailure: 1h30m\n${wordcount}`)).toMatchObject({ infrastructureRetries: 0, holdOnFailure: 5_400_000 });
});
test('anchors, Windows line ends and a byte-order mark are no matter', () => {
  const text = 'name: p\r\nenv: &e { A: 1 }\r\nsteps:\r\n  - { name: A, run: x, env: *e }\r\n';
  expect(readPlan(`\uFEFF${text}`)).toMatchObject({ steps: [{ env: { A: '1' } }] });
});

/** The errors of a plan as `field | message`. */
function errorsOf(text: string): string[] {
  const read = readPlan(text);
  if (!('accepted' in read)) throw new Error('it is a plan');
  expect(read).toMatchObject({ accepted: false, code: 'invalid-plan' });
  expect(read.message).toContain(read.errors[0]!.message);
  return read.errors.map(({ field, message }) => `${field} | ${message}`);
}
const steps = (...lines: string[]) => `name: p\nsteps:\n${lines.map((line) => `  - ${line}\n`).join('')}`;
const whole = 'data.source';

describe('not YAML', () => {
  test.each([
    ['a missing quote', 'name: "p\n', `${whole} | line 2, column 1: Missing closing "quote`],
    ['a mapping in a line', 'name: p\na: b: c\n', `${whole} | line 2, column 4: Nested mappings are not allowed in compact mappings`],
    ['a tab', 'name: p\nsteps:\n\t- x\n', `${whole} | line 3, column 1: Tabs are not allowed as indentation`],
    ['two documents', `${wordcount}---\nname: q\n`, `${whole} | line 14, column 1: one document is enough: remove what follows "---"`],
    ['an unknown tag', 'name: !js p\n', `${whole} | line 1, column 7: remove the tag, it means nothing here: !js`],
    ['an anchor that is not there', 'name: *p\n', `${whole} | line 1, column 7: no anchor &p stands before *p`],
    ['a key that is no text', '? [a]\n: b\n', `${whole} | line 1, column 3: a key must be text`],
  ])('%s', (_what, text, error) => expect(errorsOf(text)).toContain(error));
  test.each([
    ['nothing', '', 'line 1, column 1: a plan is a mapping that begins with `name:` and has `steps:`'],
    ['a list', '- a\n', 'line 1, column 1: a plan is a mapping that begins with `name:` and has `steps:`'],
  ])('%s', (_what, text, message) => expect(errorsOf(text)).toEqual([`${whole} | ${message}`]));
});

describe('not a plan', () => {
  test.each<[string, string, string[]]>([
    ['a misspelt key', steps('{ name: A, runn: x }'), ['steps[0].runn | line 3, column 16: unknown key "runn": did you mean "run"?']],
    ['a misspelt key at the top', `enviroment: {}\n${wordcount}`, ['enviroment | line 1, column 1: unknown key "enviroment": did you mean "env"?']],
    ['a misspelt key below', wordcount.replace('ref:', 'rev:'), ['workingCopy.rev | line 3, column 50: unknown key "rev": did you mean "ref"?']],
    ['a key that is like nothing', `colour: red\n${wordcount}`, ['colour | line 1, column 1: unknown key "colour": the keys here are name, description, host, machine, hosts, workingCopy, variables, secrets, env, timeout, queueTimeout, priority, infrastructureRetries, holdOnFailure, restartable, allow, concurrency, artifacts, steps']],
    ['a key twice', `${wordcount}name: again\n`, ['name | line 14, column 1: the key "name" stands there twice: remove one']],
    ['no name and no steps', 'host: {}\n', ['name | line 1, column 1: is required', 'steps | line 1, column 1: is required']],
    ['no steps in it', 'name: p\nsteps: []\n', ['steps | line 2, column 8: must have at least 1 entries']],
    ['steps that are no list', 'name: p\nsteps: {}\n', ['steps | line 2, column 8: must be a list']],
    ['a name that is no name', wordcount.replace('name: wordcount', 'name: word count'), ['name | line 1, column 7: use 1 to 63 letters, digits, "-" or "_", starting with a letter or digit']],
    ['an attribute without a name', wordcount.replace('os:', '"":'), ['host. | line 2, column 9: "" can\'t be a name here: an attribute name is 1 to 63 letters, digits, ".", "_" or "-"']],
    ['an expression that is none', wordcount.replace('os: linux', "os: '>=many'"), ['host.os | line 2, column 13: compares with "many": use a number, a size such as 16GiB, or a version such as 2.30.1']],
    ['an attribute that is a mapping', wordcount.replace('os: linux', 'os: { a: b }'), ['host.os | line 2, column 13: must be text or a number or true or false or a list']],
    ['an attribute of no values', wordcount.replace('os: linux', 'os: []'), ['host.os | line 2, column 13: must have at least 1 entries']],
    ['an attribute that is too long', wordcount.replace('os: linux', `os: ${'x'.repeat(257)}`), ['host.os | line 2, column 13: must have at most 256 characters']],
    ['too many retries', `infrastructureRetries: 21\n${wordcount}`, ['infrastructureRetries | line 1, column 24: must be at most 20']],
    ['retries that are none', `infrastructureRetries: -1\n${wordcount}`, ['infrastructureRetries | line 1, column 24: must be at least 0']],
    ['half a retry', `infrastructureRetries: 1.5\n${wordcount}`, ['infrastructureRetries | line 1, column 24: must be a whole number']],
    ['retries in words', `infrastructureRetries: some\n${wordcount}`, ['infrastructureRetries | line 1, column 24: must be a number']],
    ['a hold without a unit', `holdOnFailure: long\n${wordcount}`, ['holdOnFailure | line 1, column 16: use a duration such as 90s, 10m, 1h30m or 2d']],
    ['a hold that is a list', `holdOnFailure: [1h]\n${wordcount}`, ['holdOnFailure | line 1, column 16: must be text or a number']],
    ['a variable that is a list', wordcount.replace('LEVEL: 3', 'LEVEL: [3]'), ['env.LEVEL | line 4, column 27: must be text or a number or true or false']],
    ['a ref that is an option', wordcount.replace('ref: main', 'ref: --upload-pack=x'), ['workingCopy.ref | line 3, column 55: use a branch, a tag or a commit']],
    ['a step that is a word', steps('test'), ['steps[0] | line 3, column 5: a step is a mapping with `name` and either `run` or `uses`']],
    ['a step without a kind', steps('{ name: A }'), [expect.stringMatching(/^steps\[0\] \| line 3, column 5: a step needs `run: COMMAND` or `uses: checkout` with /) as string]],
    ['a step of two kinds', steps('{ name: A, run: x, uses: upload-artifact }'), ['steps[0].uses | line 3, column 24: a step has either `run` or `uses`: remove one']],
    ['a step without a name', steps('{ run: x }'), ['steps[0].name | line 3, column 5: is required']],
    ['a step of no name or kind', steps('{ timeout: 5m }'), ['steps[0].name | line 3, column 5: is required', expect.stringContaining('a step needs') as string]],
    ['an empty command', steps('{ name: A, run: }'), ['steps[0].run | line 3, column 21: is empty: it must be text']],
    ['a timeout that is a number', steps('{ name: A, run: x, timeout: 10 }'), ['steps[0].timeout | line 3, column 33: must be text']],
    ['a timeout without a unit', steps('{ name: A, run: x, timeout: ten }'), ['steps[0].timeout | line 3, column 33: use a duration such as 90s, 10m, 1h30m or 2d']],
    ['a timeout that no host takes', steps('{ name: A, run: x, timeout: 8d }'), ['steps[0].timeout | line 3, column 33: must be at most 7d']],
    ['a path that leaves the working copy', steps('{ name: A, uses: upload-artifact, with: { path: ../x } }'), ['steps[0].with.path | line 3, column 53: must stay inside the working copy: a relative path without ".."']],
    ['the long form of run', steps('{ name: A, uses: run-command, with: { run: x } }'), ['steps[0].uses | line 3, column 22: a step of kind run-command is written `run: COMMAND`']],
    ['two artifacts of one name', steps('{ name: A, uses: upload-artifact, with: { path: a/x.tgz } }', '{ name: B, uses: upload-artifact, with: { path: b/x.tgz } }'), ['steps[1].with.path | line 4, column 53: the artifact x.tgz is kept by steps[0] already: give this one another `name`']],
  ])('%s', (_what, text, errors) => expect(errorsOf(text)).toEqual(errors));

  test('an unknown step kind is told which there are', () => {
    expect(errorsOf(steps('{ name: A, run: x }', '{ name: B, uses: foo }'))).toEqual([
      expect.stringMatching(/^steps\[1\]\.uses \| line 4, column 22: unknown step kind "foo": There are run-command \(`run: COMMAND`\), checkout \(.*\), upload-artifact \(.*\), .*sleep \(`uses: sleep` with `for`, such as 30s\)/),
    ]);
    expect(errorsOf(steps('{ name: B, uses: upload-artefact }'))[0]).toContain('did you mean "upload-artifact"?');
  });
  test('all errors at once', () => {
    const text = steps('{ name: A, runn: x }', '{ name: B, uses: foo }', '{ name: C, run: x, timeout: soon }').replace('name: p', 'name: p q\nname: r');
    expect(errorsOf(text).map((error) => error.split(' | ')[0])).toEqual(['name', 'steps[0].runn', 'steps[1].uses', 'steps[2].timeout']);
  });
  test('but no more than can be read', () => {
    const read = readPlan(steps(...Array.from({ length: 400 }, () => '{ nam: A }')));
    expect('accepted' in read && read.errors).toHaveLength(50);
    expect('accepted' in read && read.message).toContain('50 errors in all, at least');
  });
});

describe('texts that are meant to hurt', () => {
  test('are refused within the limits of every document', () => expect(errorsOf('['.repeat(200_000))[0]).toContain('at most 50 brackets may be open'));
  test('have too many parts to be a plan', () => expect(errorsOf(Array.from({ length: 60_000 }, (_, i) => `a${i}: 1\n`).join(''))[0]).toContain('has too many parts to be a plan'));
  test('a plan that refers to itself is no plan', () => expect(errorsOf('name: &a [*a]\nsteps: *a\n')).toContain('name | line 1, column 10: must be text'));
  test('a plan that fits into no message', () => {
    expect(errorsOf(steps(`{ name: A, run: ${'x'.repeat(200_000)} }`, `{ name: B, run: ${'x'.repeat(200_000)} }`))).toEqual([expect.stringContaining('is too large')]);
    expect(errorsOf(`# ${'é'.repeat(500_000)}\n${wordcount}`)).toEqual([expect.stringContaining('is too large')]);
  });
});
