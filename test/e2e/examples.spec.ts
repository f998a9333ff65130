import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BuildEvent } from '@berth/contracts';
import { artifactBucket } from '@berth/nats';
import { CHECKOUT, findTool } from '@berth/embedded/servers';
import { atEndOfFile, tempFolder } from '../support/cleanup.js';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { repository } from '../support/repository.js';

const run = promisify(execFile);
const EXAMPLES = join(CHECKOUT, 'examples');
const plans = ['c-make', 'monorepo', 'node', 'python', 'windows', 'wordcount'];

/** The plans in examples/, each with the project beside it. */
describe('examples', () => {
  let fleet: Fleet;
  let folder: string;
  beforeAll(async () => {
    for (const tool of ['make', 'cc', 'python3'] as const) await findTool(tool);
    fleet = await startFleet();
    folder = await fleet.addMachine('shed', await startTestSshd(), { slots: 4 });
  });

  const source = (name: string) => readFile(join(EXAMPLES, `${name}.yaml`), 'utf8');
  const filesOf = async (name: string): Promise<Record<string, string>> => {
    const root = join(EXAMPLES, name);
    const entries = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Object.fromEntries(await Promise.all(entries.map(async (path) => [relative(root, path), await readFile(path, 'utf8')] as const)));
  };
  /** Builds an example with some of its files changed, and gives what is told of the build. */
  const build = async (name: string, { files = {}, variables = {} }: { files?: Record<string, string>; variables?: Record<string, string> } = {}) => {
    const repo = await repository({ ...(await filesOf(name)), ...files });
    const text = await source(name);
    const local = text.replace(`repository: ./${name},`, `repository: ${repo},`);
    expect(local).not.toBe(text);
    await fleet.applyPlan(local);
    const id = await fleet.build(name, variables);
    const { data } = await fleet.ended(id, { timeoutMs: 60_000 });
    const events = (await fleet.events('build')).filter((r) => r.id === id).flatMap((r) => r.commit.events as BuildEvent[]);
    expect(await fleet.leftovers(folder)).toEqual([]);
    return {
      data,
      names: told(events, 'StepStarted').map((started) => started.name),
      reports: told(events, 'ReportPublished').map(({ report }) => report.tests),
      kept: told(events, 'ArtifactKept').sort((a, b) => (a.name < b.name ? -1 : 1)),
      skipped: told(events, 'StepFinished').filter(({ outcome }) => outcome === 'skipped').length,
    };
  };
  const told = <T extends BuildEvent['type']>(events: BuildEvent[], type: T) => events.filter((event): event is Extract<BuildEvent, { type: T }> => event.type === type).map(({ data }) => data as Extract<BuildEvent, { type: T }>['data']);
  const contentOf = async (object: string): Promise<Buffer> => {
    const store = await fleet.bus.connection.jetstream().views.os(artifactBucket);
    return Buffer.from((await store.getBlob(object))!);
  };

  test('are all there, can all be saved, and each has a project', async () => {
    const entries = await readdir(EXAMPLES, { withFileTypes: true });
    expect(entries.filter((entry) => entry.name.endsWith('.yaml')).map(({ name }) => name.replace(/\.yaml$/, '')).sort()).toEqual(plans);
    // The subscriber is a program, and the files of images are no plans: both have specs of their own.
    expect(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).sort()).toEqual([...plans, 'subscriber', 'images'].sort());
    for (const name of plans) {
      const answer = await fleet.command('build-orchestrator', 'ValidatePlan', { source: await source(name) });
      expect(answer.data, name).toMatchObject({ name });
      expect(await readFile(join(EXAMPLES, 'README.md'), 'utf8')).toContain(`[${name}.yaml](${name}.yaml)`);
    }
  });

  test('node: its report is read, and what npm would publish is kept', async () => {
    const { data, reports, kept } = await build('node');
    expect(data).toMatchObject({ status: 'passed', error: null });
    expect(reports).toMatchObject([{ total: 3, passed: 3, failed: 0, skipped: 0, broken: 0 }]);
    expect(kept.map(({ name }) => name)).toEqual(['reports/report.xml', 'slugs-1.2.0.tgz']);
  });

  test('c-make: its tests print TAP, its program and its library are kept; a test that fails is named', async () => {
    const { data, reports, kept } = await build('c-make');
    expect(data).toMatchObject({ status: 'passed', error: null });
    expect(reports).toMatchObject([{ total: 4, passed: 4, failed: 0, skipped: 0, broken: 0 }]);
    expect(kept.map(({ name }) => name)).toEqual(['librle.a', 'reports/check.tap', 'rle']);

    const broken = (await filesOf('c-make'))['src/rle.c']!.replace('size_t run = 1;', 'size_t run = 2;').replace('text += run;', 'text += run - 1;');
    const bad = await build('c-make', { files: { 'src/rle.c': broken } });
    expect(bad.data).toMatchObject({ status: 'failed', error: expect.stringMatching(/^step Test failed: exit code 2/) as string });
    expect(bad.reports).toMatchObject([{ total: 4, failed: expect.any(Number) as number }]);
    expect(bad.kept.map(({ name }) => name)).toEqual(['reports/check.tap']);
  });

  test('python: unittest tells JUnit, and one file that Python runs is kept', async () => {
    const { data, reports, kept } = await build('python');
    expect(data).toMatchObject({ status: 'passed', error: null });
    expect(reports).toMatchObject([{ total: 4, passed: 3, failed: 0, skipped: 1, broken: 0 }]);
    expect(kept.map(({ name }) => name)).toEqual(['reports/report.xml', 'tally.pyz']);
  });

  test('monorepo: each package is tested and packed, and all are joined; nobody is told of what passed', async () => {
    const { data, reports, kept, names, skipped } = await build('monorepo');
    expect(data).toMatchObject({ status: 'passed', error: null });
    expect(reports).toMatchObject([{ total: 4, passed: 4, failed: 0, skipped: 0, broken: 0 }]);
    // What needs nothing begins at once: no test is over when the last of them begins.
    expect(names.slice(0, 6).sort()).toEqual(['Pack (count)', 'Pack (greet)', 'Pack (shout)', 'Test (count)', 'Test (greet)', 'Test (shout)']);
    expect(skipped).toBe(1);
    const release = kept.find(({ name }) => name === 'release.tar')!;
    const out = await tempFolder('release');
    await writeFile(join(out, 'release.tar'), await contentOf(release.object));
    await run('tar', ['xf', 'release.tar'], { cwd: out });
    expect((await run('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: out })).stdout).toBe('');
    expect((await readdir(out)).filter((name) => name.endsWith('.tgz')).sort()).toEqual(['words-count-1.0.0.tgz', 'words-greet-1.0.0.tgz', 'words-shout-1.0.0.tgz']);
  });

  test('monorepo: of a failure whoever is named is told, at the address that was given', async () => {
    const got: string[] = [];
    const server = createServer((request, response) => {
      request.on('data', (part: Buffer) => got.push(`${request.url!} ${part.toString()}`)).on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEndOfFile(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { data } = await build('monorepo', { files: { 'packages/shout/index.js': 'export const shout = (text) => text;\n' }, variables: { NOTIFY_URL: `http://127.0.0.1:${port}/hooks/a?room=1` } });
    expect(data).toMatchObject({ status: 'failed', error: expect.stringMatching(/^step Test \(shout\) failed: exit code 1/) as string });
    expect(got).toEqual([expect.stringMatching(/^\/hooks\/a\?room=1 \{"text":"monorepo failed/)]);
  });
});
