import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { read, told } from './report.testing.js';

// What the test runner of the Node that is here writes, rather than what one wrote once.
const suite = `
import { describe, it, test } from 'node:test';
import assert from 'node:assert/strict';
describe('cart', () => {
  it('adds', () => {});
  it('says # 1 <b>', () => assert.equal('a\\nb', 'a\\nc'));
  it.skip('is skipped', () => {});
  it.todo('is to do');
  it('fails for now', { todo: 'later' }, () => { throw new Error('x'); });
  describe('deep', () => { it('is red', () => { throw new TypeError('\\x1b[31mred\\x1b[39m'); }); });
});
describe.skip('all of it', () => {});
describe('hooks', () => { it('is never reached', async () => {}); });
test('parent', async (t) => { await t.test('child', () => {}); });
test('never ends', { timeout: 20 }, ({ signal }) => new Promise(() => {
  const alive = setTimeout(() => {}, 60_000);
  signal.addEventListener('abort', () => clearTimeout(alive));
}));
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-node-test-'));
  await writeFile(join(folder, 'cart.test.mjs'), suite);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What Node writes about the suite above. It ends with 1, since tests fail. */
function run(reporter: 'tap' | 'junit'): Promise<string> {
  // A runner that is told of being in a test of its own writes for that one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve) => execFile(process.execPath, ['--test', `--test-reporter=${reporter}`, 'cart.test.mjs'], { cwd: folder, env }, (_error, stdout) => resolve(stdout)));
}

const findings = [
  'failed cart > says # 1 <b> @:6 = Expected values to be strictly equal:', 'failed cart > deep > is red @:10 = red', 'broken never ends @:15 = test timed out after 20ms',
  'skipped cart > is skipped', 'skipped cart > is to do', 'skipped cart > fails for now @:9 = later', 'skipped all of it',
];

describe("Node's own test runner", () => {
  test.each(['tap', 'junit'] as const)('its %s', async (reporter) => {
    const text = await run(reporter);
    for (const format of ['auto', 'node-test'] as const) {
      const report = read(text, format);
      expect(report).toMatchObject({ format: 'node-test', kind: 'tests', tests: { total: 10, passed: 3, failed: 2, skipped: 4, broken: 1 }, more: 0 });
      expect(report.tests!.durationMs).toBeGreaterThan(20);
      const lines = told(report).map((line) => line.replace(/ @ \S*cart\.test\.mjs/, ' @'));
      if (reporter === 'tap') expect(lines).toEqual(findings);
      // Which file, and what else of an error, is told otherwise by each version of Node.
      else expect(lines.map((line) => line.replace(/( @[:\d]*)?( = .*)?$/, ''))).toEqual(findings.map((line) => line.replace(/( @[:\d]*)?( = .*)?$/, '')));
      for (const [i, said] of ['Expected values to be strictly equal', 'red', 'test timed out after 20ms'].entries()) expect(report.findings[i]!.message).toContain(said);
    }
    expect(read(text, reporter).tests!.total).toBe(10);
  });
});
