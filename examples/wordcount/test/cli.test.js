import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../src/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wordcount-'));
after(() => rmSync(folder, { recursive: true }));

function wordcount(args, input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { input, encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('it reads its input', () => {
  assert.deepEqual(wordcount(['--top', '2'], 'to be or not to be\n'), { status: 0, stdout: '    1      6     19\nbe 2\nto 2\n', stderr: '' });
});

test('several files have a total, and one that is missing fails without hiding the others', () => {
  const [one, two] = ['one', 'two'].map((name) => join(folder, name));
  writeFileSync(one, 'a b\n');
  writeFileSync(two, 'c\n');
  const { status, stdout, stderr } = wordcount([one, join(folder, 'none'), two]);
  console.log(stdout);
  assert.equal(status, 1);
  assert.match(stderr, /none: no such file/);
  assert.match(stdout, /2 +3 +6 +total/);
});

test('what it does not understand is refused with the usage', () => {
  for (const args of [['--top', 'many'], ['--unknown']]) {
    const { status, stderr } = wordcount(args);
    assert.equal(status, 2);
    assert.match(stderr, /usage: wordcount/);
  }
});
