import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ReportFault } from './fault.js';
import { readReport } from './read.js';
import { read, recorded } from './report.testing.js';

const large = (tests: number): Buffer => Buffer.from(`<testsuite>${'<testcase name="a"><failure message="no"/></testcase>\n'.repeat(tests)}</testsuite>`);

describe('reading a report', () => {
  test('in a thread it is the same as in the calling one', async () => {
    for (const file of ['pytest.xml', 'test-more.tap', 'eslint.sarif', 'eslint.checkstyle.xml']) {
      expect(await readReport(recorded(file), 'auto', { inThreadBytes: 0 })).toEqual(read(recorded(file)));
    }
  });

  test('a large one leaves the caller free and its bytes as they are', async () => {
    const bytes = large(100_000);
    const reading = readReport(bytes, 'junit');
    // A timer of the caller runs while it is read, which takes a hundred times as long.
    const first = await Promise.race([reading, new Promise((resolve) => setTimeout(() => resolve('the caller'), 1))]);
    expect(first).toBe('the caller');
    expect(await reading).toMatchObject({ tests: { total: 100_000, failed: 100_000 }, more: 99_800 });
    expect(bytes.subarray(0, 11).toString()).toBe('<testsuite>');
  });

  test('many at once all end', async () => {
    const reports = await Promise.all(Array.from({ length: 6 }, (_, i) => readReport(large(i + 1), 'junit', { inThreadBytes: 0 })));
    expect(reports.map((report) => report.tests?.failed)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('a fault in a thread is a fault here, with its line', async () => {
    const fault = await readReport(Buffer.from('<testsuite>\n</a>'), 'junit', { inThreadBytes: 0 }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ReportFault);
    expect(fault).toMatchObject({ line: 2, message: expect.stringMatching(/^line 2: is not well-formed XML/) as string });
  });

  test('too large', () => expect(readReport(Buffer.alloc(17 * 2 ** 20), 'auto')).rejects.toThrow('has 17825792 bytes, and at most 16777216 are read: publish several smaller files, or leave out what tests print'));

  test('too long', () => expect(readReport(large(200_000), 'junit', { deadlineMs: 1 })).rejects.toThrow(new ReportFault('took longer than 0.001 s to read: publish several smaller files')));

  // A parser that collects such a text one character at a time takes thirty times its size.
  test('too much memory', () => expect(readReport(Buffer.from(`<testsuite><?a ${'?'.repeat(4 * 2 ** 20)}`), 'junit', { heapMiB: 48 })).rejects.toThrow(new ReportFault('takes more than 48 MiB of memory to read: publish several smaller files')));

  test('compiled, as the services run it, with a thread and without', async () => {
    const script = `
      import { readReport } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
      const bytes = Buffer.from('1..1\\nok 1');
      const all = [await readReport(bytes, 'tap'), await readReport(bytes, 'tap', { inThreadBytes: 0 })];
      console.log(all.map((one) => one.tests.passed).join());
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd: fileURLToPath(new URL('.', import.meta.url)) });
    expect(stdout).toBe('1,1\n');
  });
});
