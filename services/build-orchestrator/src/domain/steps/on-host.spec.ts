import type { SavedStep } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { BUILD } from '../../spec/examples.js';
import { ACTION, asked, failedBy, succeeded, V, verdict } from '../../spec/steps.testing.js';
import { ids } from '../ids.js';

type Step = Omit<SavedStep, 'name'>;
const prefix = `${BUILD}/1`;
const file = { name: 'a.tgz', object: `${prefix}/a.tgz`, bytes: 3, sha256: 'ab' };

describe('run-command', () => {
  test.each<[string, Step, object, object]>([
    ['as it stands', { run: 'make' }, {}, { command: 'make', env: { CI: 'true' } }],
    ['with its own environment', { run: 'make', env: { CI: 'no', A: `<${V}>` } }, { v: '$(x)' }, { command: 'make', env: { CI: 'no', A: '<$(x)>' } }],
    ['with a value', { run: `make "${V}"` }, { v: "'; rm -rf /" }, { command: 'make "${BERTH_V1}"', shell: 'sh', env: { CI: 'true', BERTH_V1: "'; rm -rf /" } }],
    ['with a value on Windows', { run: `make "${V}"` }, { v: '& x', wants: { os: 'windows' } }, { command: 'make "${env:BERTH_V1}"', shell: 'powershell', env: { CI: 'true', BERTH_V1: '& x' } }],
    ['in a shell of its own', { run: `make ${V}`, shell: 'cmd', timeout: 5 }, { v: '%PATH%' }, { command: 'make !BERTH_V1!', shell: 'cmd', timeoutMs: 5, env: { CI: 'true', BERTH_V1: '%PATH%' } }],
    ['with secrets', { run: 'make', secrets: ['TOKEN'] }, { plan: { secrets: { TOKEN: { secret: 'deploy', as: 'file' }, OTHER: { secret: 'x', as: 'env' } } } }, { command: 'make', env: { CI: 'true' }, secrets: [{ name: 'TOKEN', secret: 'deploy', as: 'file' }] }],
  ])('%s', (_what, step, more, spec) => expect(asked(step, more)).toEqual({ kind: 'run-command', ...spec }));
  test('its end', () => {
    expect(verdict({ run: 'x' }, succeeded({ exitCode: 0, outputs: { a: 'b' } }))).toEqual({ outcome: 'passed', exitCode: 0, outputs: { a: 'b' } });
    expect(verdict({ run: 'x' }, failedBy('exit', { exitCode: 2, tail: 'oops', outputs: { a: 'b' } }))).toEqual({ outcome: 'failed', error: 'it failed: exit', exitCode: 2, tail: 'oops', outputs: { a: 'b' } });
    for (const code of ['timeout', 'outputs', 'secret', 'shell', 'invalid-value']) expect(verdict({ run: 'x' }, failedBy(code))).toMatchObject({ outcome: 'failed' });
    for (const code of ['unreachable', 'internal', 'lease-not-active']) expect(verdict({ run: 'x' }, failedBy(code))).toBeUndefined();
  });
});

describe('paths', () => {
  const kinds: [string, (path: string) => Step, string][] = [
    ['put-file', (path) => ({ uses: 'put-file', with: { path, content: 'x' } }), 'path'],
    ['upload-artifact', (path) => ({ uses: 'upload-artifact', with: { path: ['a', path] } }), 'path'],
    ['publish-fragment', (path) => ({ uses: 'publish-fragment', with: { path: [path] } }), 'path'],
    ['checkout', (path) => ({ uses: 'checkout', with: { repository: 'https://git.example/a', path } }), 'path'],
    ['download-artifact', (path) => ({ uses: 'download-artifact', with: { path } }), 'path'],
  ];
  const outside = ['../x', 'a/../../x', '/etc/passwd', '~/x', 'C:\\x', 'a\\..\\x', '', 'a\0b', 'a\nb'];
  test.each(kinds.flatMap(([kind, step, field]) => outside.map((value) => [kind, JSON.stringify(value), step(V), value, field] as const)))('%s: %s leaves the working copy, or is none', (_kind, _text, step, v, field) => {
    const said = asked(step, { v });
    expect(said).toEqual(expect.any(String));
    expect(said).toContain(`${field} is ${JSON.stringify(v)} and `);
  });
});

describe('put-file', () => {
  const step = (more: Record<string, unknown> = {}): Step => ({ uses: 'put-file', with: { path: `etc/${V}`, content: `v=${V}`, ...more } });
  test('what is written', () => {
    expect(asked(step(), { v: 'a' })).toEqual({ kind: 'put-file', path: 'etc/a', content: 'v=a', mode: 0o644 });
    expect(asked(step({ mode: '0755' }), { v: 'a' })).toMatchObject({ mode: 0o755 });
  });
  test('too much', () => expect(asked({ uses: 'put-file', with: { path: 'a', content: V } }, { v: 'x'.repeat(65_537) })).toBe('the content has 65537 characters, and a file that a plan writes may have 65536'));
  test('its end', () => {
    expect(verdict(step(), succeeded())).toEqual({ outcome: 'passed' });
    expect(verdict(step(), failedBy('permission-denied'))).toEqual({ outcome: 'failed', error: 'it failed: permission-denied' });
    expect(verdict(step(), failedBy('unreachable'))).toBeUndefined();
  });
});

describe('upload-artifact', () => {
  const step = (more: Record<string, unknown>): Step => ({ uses: 'upload-artifact', with: more });
  test('what is kept', () => {
    expect(asked(step({ path: ['out/*.tgz', `${V}/**`] }), { v: 'b' })).toEqual({ kind: 'upload', paths: ['out/*.tgz', 'b/**'], prefix, whenNone: 'fail', maxBytes: 1024, maxFiles: 1000 });
    expect(asked(step({ path: ['a'], name: `${V}/a`, whenNone: 'pass' }), { v: 'b' })).toMatchObject({ name: 'b/a', whenNone: 'pass' });
    expect(asked(step({ path: ['a'] }), { build: { generation: 2 } })).toMatchObject({ prefix: `${BUILD}/2` });
  });
  test('a plan of an older version has one path', () => expect(asked(step({ path: 'a' }))).toMatchObject({ paths: ['a'] }));
  test.each(['../a', 'a\\b', '', 'a/../b', 'a//b'])('no name: %s', (v) => expect(asked(step({ path: ['a'], name: V }), { v })).toContain(`name is ${JSON.stringify(v)} and must not `));
  test('its end', () => {
    expect(verdict(step({ path: ['a'] }), succeeded({ artifacts: [file] }))).toEqual({ outcome: 'passed', artifacts: [file] });
    expect(verdict(step({ path: ['a'], type: 'sbom' }), succeeded({ artifacts: [file] }))).toEqual({ outcome: 'passed', artifacts: [{ ...file, type: 'sbom' }] });
    expect(verdict(step({ path: ['a'] }), succeeded())).toEqual({ outcome: 'passed', artifacts: [] });
    for (const code of ['not-found', 'too-large', 'path-outside']) expect(verdict(step({ path: ['a'] }), failedBy(code))).toEqual({ outcome: 'failed', error: `it failed: ${code}` });
    expect(verdict(step({ path: ['a'] }), failedBy('store'))).toBeUndefined();
  });
});

describe('download-artifact', () => {
  const step = (more: Record<string, unknown>): Step => ({ uses: 'download-artifact', with: more });
  const kept = { build: { artifacts: [file, { ...file, name: 'reports/x.xml', object: 'o2' }] } };
  const items = (spec: unknown) => (spec as { items: { object: string; path: string }[] }).items.map(({ object, path }) => `${object} -> ${path}`);
  test('what is put where', () => {
    expect(asked(step({}), kept)).toEqual({ kind: 'download', items: [{ object: file.object, path: 'a.tgz', bytes: 3, sha256: 'ab' }, { object: 'o2', path: 'reports/x.xml', bytes: 3, sha256: 'ab' }] });
    expect(items(asked(step({ name: ['*.tgz'], path: 'in/' }), kept))).toEqual([`${file.object} -> in/a.tgz`]);
    expect(items(asked(step({ name: [V, '**/*.tgz'] }), { ...kept, v: 'reports/*' }))).toEqual([`${file.object} -> a.tgz`, 'o2 -> reports/x.xml']);
  });
  test('what is not there', () => {
    expect(asked(step({ name: ['*.zip'] }), kept)).toBe('the build has no artifact *.zip: it has a.tgz, reports/x.xml');
    expect(asked(step({ name: ['a'] }))).toBe('the build has no artifact a: it has kept none so far');
    expect(asked(step({}))).toBe('the build has no artifact **: it has kept none so far');
    expect(asked(step({}), { build: { artifacts: Array.from({ length: 1001 }, (_, i) => ({ ...file, name: `a${i}` })) } })).toBe('1001 artifacts are too many for one step: at most 1000');
  });
  const OTHER = '9d3f1a52-9c1e-4b7a-8f60-0a4f8d2c1b33';
  const question = ids.ask(ACTION, 'artifacts');
  const reply = (what: object) => ({ v: OTHER, view: { reply: (id: string) => (id === question ? (what as never) : undefined) } });
  test('of another build: asked for first', () => {
    expect(asked(step({ build: V }), { v: OTHER })).toEqual([{ to: 'artifacts', id: question, build: OTHER }]);
    expect(items(asked(step({ build: V }), reply({ kind: 'artifacts', artifacts: [file] })))).toEqual([`${file.object} -> a.tgz`]);
    expect(asked(step({ build: V }), reply({ kind: 'artifacts' }))).toBe(`there is no build ${OTHER}`);
    expect(asked(step({ build: V }), reply({ kind: 'failed', error: 'no answer' }))).toBe('no answer');
    expect(asked(step({ build: V }), { v: 'latest' })).toBe('build is "latest", which is not the id of a build');
    expect(asked(step({ build: '${{ build.id }}', name: ['a.tgz'] }), kept)).toMatchObject({ kind: 'download' });
  });
  test('its end', () => {
    expect(verdict(step({}), succeeded())).toEqual({ outcome: 'passed' });
    expect(verdict(step({}), failedBy('checksum'))).toEqual({ outcome: 'failed', error: 'it failed: checksum' });
    expect(verdict(step({}), failedBy('unreachable'))).toBeUndefined();
  });
});

describe('checkout', () => {
  const step = (more: Record<string, unknown> = {}): Step => ({ uses: 'checkout', with: { repository: 'https://git.example/a', ...more } });
  test('what is fetched', () => {
    expect(asked(step())).toEqual({ kind: 'checkout', repository: 'https://git.example/a', submodules: 'no', lfs: false });
    expect(asked({ ...step({ ref: V, path: 'libs/a', depth: 1, submodules: 'recursive', lfs: true, secret: 'git' }), timeout: 9 }, { v: 'v2' })).toEqual({ kind: 'checkout', repository: 'https://git.example/a', ref: 'v2', path: 'libs/a', depth: 1, submodules: 'recursive', lfs: true, secret: 'git', timeoutMs: 9 });
  });
  test.each(['--upload-pack=x', '-x', ''])('no repository: %s', (v) => expect(asked(step({ repository: V }), { v })).toContain(`the repository ${JSON.stringify(v)} can't be used: `));
  test.each(['--x', 'a b', '', '$(x)'])('no ref: %s', (v) => expect(asked(step({ ref: V }), { v })).toContain(`or its ref ${JSON.stringify(v)} can't be used: use a branch, a tag or a commit`));
  test('its end', () => {
    expect(verdict(step(), succeeded({ commit: 'c0ffee' }))).toEqual({ outcome: 'passed', outputs: { commit: 'c0ffee' } });
    expect(verdict(step(), failedBy('ref-missing', { tail: 'no such ref' }))).toEqual({ outcome: 'failed', error: 'it failed: ref-missing', tail: 'no such ref' });
    expect(verdict(step(), failedBy('unreachable'))).toBeUndefined();
  });
});

describe('publish-fragment', () => {
  const step = (more: Record<string, unknown> = {}): Step => ({ uses: 'publish-fragment', with: { path: ['r/*.xml'], ...more } });
  const tests = (failed: number, broken = 0) => ({ format: 'junit', tests: { total: 9, passed: 9 - failed - broken, failed, skipped: 0, broken }, findings: failed + broken === 0 ? [] : [{ suite: 'math', name: 'adds' }] });
  const lint = (errors: number, warnings: number) => ({ format: 'sarif', lint: { errors, warnings, notes: 1 }, findings: [{ file: 'a.c', message: 'unused' }] });
  test('what is read', () => {
    expect(asked(step())).toEqual({ kind: 'read-report', paths: ['r/*.xml'], format: 'auto', prefix, name: 'reports', whenNone: 'fail' });
    expect(asked(step({ format: 'tap', name: V, whenNone: 'pass' }), { v: 'unit' })).toMatchObject({ format: 'tap', name: 'unit', whenNone: 'pass' });
  });
  test('a folder that is none', () => expect(asked(step({ name: V }), { v: '../x' })).toContain('name is "../x" and must not '));
  test.each<[string, Record<string, unknown>, object, object]>([
    ['all passed', {}, tests(0), { outcome: 'passed' }],
    ['some failed', {}, tests(2, 1), { outcome: 'failed', error: '3 of 9 tests failed, the first: math: adds' }],
    ['some failed, which is no matter', { failOn: 'never' }, tests(2), { outcome: 'passed' }],
    ['errors', {}, lint(1, 5), { outcome: 'failed', error: '1 finding, the first: a.c: unused' }],
    ['warnings', {}, lint(0, 5), { outcome: 'passed' }],
    ['warnings that count', { failOn: 'warnings' }, lint(0, 5), { outcome: 'failed', error: '5 findings, the first: a.c: unused' }],
  ])('%s', (_what, more, report, expected) => {
    const type = 'lint' in report ? 'lint' : 'tests';
    expect(verdict(step(more), succeeded({ report, artifacts: [file] }))).toEqual({ ...expected, artifacts: [{ ...file, type }], report });
  });
  test('the first findings are stored', () => expect(verdict(step(), succeeded({ report: { ...lint(0, 0), findings: Array.from({ length: 60 }, () => ({ file: 'x' })) } }))).toMatchObject({ report: { findings: { length: 50 } } }));
  test('no report, and one that can not be read', () => {
    expect(verdict(step(), succeeded())).toEqual({ outcome: 'passed', artifacts: [] });
    expect(verdict(step(), failedBy('report'))).toEqual({ outcome: 'failed', error: 'it failed: report' });
    expect(verdict(step(), failedBy('unreachable'))).toBeUndefined();
  });
});
