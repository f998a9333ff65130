import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ActionSpec, HostAccess } from '@berth/contracts';
import { artifactBucket } from '@berth/nats';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTestSshd, type TestSshd } from '../../../../test/support/sshd.js';
import { eventually } from '../../../../test/support/wait.js';
import { gatewayObjects, type Objects } from '../adapters/objects.js';
import { gitServer } from '../git/git-server.testing.js';
import { startGateway, type TestGateway } from '../gateway.testing.js';

let gateway: TestGateway;
let sshd: TestSshd;
let objects: Objects;
const printed = new Map<string, string>();
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

beforeAll(async () => {
  [gateway, sshd] = await Promise.all([startGateway(), startTestSshd()]);
  objects = gatewayObjects(gateway.connection, undefined);
  gateway.connection.subscribe('berth.out.*', {
    callback: (_, message) => {
      const action = message.subject.split('.')[2] ?? '';
      printed.set(action, (printed.get(action) ?? '') + message.string());
    },
  });
});

/** What an object of the store of artifacts holds. */
async function kept(name: string): Promise<Buffer | undefined> {
  const content = await objects.get(artifactBucket, name);
  if (!content) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}
const give = async (name: string, content: Buffer) => {
  await objects.put(artifactBucket, name, (async function* () { yield await Promise.resolve(content); })());
  return { object: name, bytes: content.length, sha256: sha256(content) };
};

describe.each(['ssh', 'local'] as const)('files of a working copy over %s', (transport) => {
  let root: string;
  let lease: { lease: string; token: number };
  let prefix: string;
  let number = 0;
  beforeAll(async () => {
    const base = join(gateway.home, `files-${transport}`);
    root = join(base, 'copies/c');
    mkdirSync(root, { recursive: true });
    const access: HostAccess = transport === 'local'
      ? { transport, address: '127.0.0.1', port: 22, user: '', credential: 'agent', platform: 'linux', folder: base }
      : { transport, address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, hostKey: sshd.hostKeyPublic, platform: 'linux', folder: base };
    const host = await gateway.host('enrolled', access);
    lease = await gateway.on(host.lease, 'working-copy', 'active', root);
  });
  const write = (path: string, content: string | Buffer = path) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  const begin = (spec: ActionSpec) => gateway.run(lease.lease, lease.token, spec);
  const run = async (spec: ActionSpec) => {
    const id = await begin(spec);
    return { id, ...(await gateway.ended(id)), said: () => printed.get(id) ?? '' };
  };
  const upload = (paths: string[], more: Partial<Extract<ActionSpec, { kind: 'upload' }>> = {}) =>
    run({ kind: 'upload', paths, prefix: (prefix = `${transport}/${++number}`), whenNone: 'fail', maxBytes: 100_000_000, maxFiles: 1000, ...more });
  const names = ({ data }: { data: object }) => (data as { artifacts?: { name: string }[] }).artifacts?.map(({ name }) => name);

  it('puts a text that is in the request itself', async () => {
    expect(await run({ kind: 'put-file', path: 'etc/a.txt', content: 'käse\n', mode: 0o600 })).toMatchObject({ type: 'ActionSucceeded', data: { bytes: 6, sha256: sha256(Buffer.from('käse\n')) } });
    expect([readFileSync(join(root, 'etc/a.txt'), 'utf8'), statSync(join(root, 'etc/a.txt')).mode & 0o777]).toEqual(['käse\n', 0o600]);
    expect(await run({ kind: 'put-file', path: 'empty', content: '', mode: 0o644 })).toMatchObject({ type: 'ActionSucceeded', data: { bytes: 0 } });
    expect(await run({ kind: 'put-file', path: 'x', content: 'x', object: 'y', mode: 0o644 })).toMatchObject({ type: 'ActionFailed', data: { code: 'invalid-value', error: 'put-file of x has both object and content: give one of them' } });
    expect(await run({ kind: 'put-file', path: 'x', mode: 0o644 })).toMatchObject({ type: 'ActionFailed', data: { code: 'invalid-value', error: expect.stringContaining('neither') } });
  });

  it('keeps one file under its name or another', async () => {
    const content = randomBytes(300_000);
    write('out/app.tgz', content);
    const end = await upload(['out/app.tgz']);
    expect(end).toMatchObject({ type: 'ActionSucceeded', data: { artifacts: [{ name: 'app.tgz', object: `${prefix}/app.tgz`, bytes: 300_000, sha256: sha256(content) }] } });
    expect((await kept(`${prefix}/app.tgz`))?.equals(content)).toBe(true);
    await eventually(() => end.said() === 'kept out/app.tgz as app.tgz (293.0 KiB)\n');
    expect(names(await upload(['out/app.tgz'], { name: 'bin/it.tgz' }))).toEqual(['bin/it.tgz']);
    expect(await upload(['out/app.tgz'], { name: '../x' })).toMatchObject({ type: 'ActionFailed', data: { code: 'bad-name' } });
  });

  it('keeps folders and what patterns match, below a name when there is one', async () => {
    for (const path of ['web/index.html', 'web/js/a.js', 'web/js/.map', 'web/css/a.css']) write(path);
    expect(names(await upload(['web']))).toEqual(['css/a.css', 'index.html', 'js/a.js']);
    expect(names(await upload(['web/**/*.js', 'web/index.html'], { name: 'site' }))).toEqual(['site/js/a.js', 'site/index.html']);
    expect(names(await upload(['web/js', 'web/js/*.js']))).toEqual(['a.js']);
    expect(names(await upload(['web/js/.map']))).toEqual(['.map']);
    const clash = await upload(['web/js/*', 'web/css/*', 'web/*/a.*', 'web/css', 'web/js/a.js']);
    expect(names(clash)).toEqual(['a.js', 'a.css', 'css/a.css', 'js/a.js']);
    write('other/a.js', 'another');
    expect(await upload(['web/js', 'other'])).toMatchObject({ type: 'ActionFailed', data: { code: 'same-name', error: 'web/js/a.js and other/a.js would both be kept as a.js: upload one of them apart from the other, with a name.' } });
  });

  it('says what is there when nothing matches, or passes', async () => {
    write('dist/app.tar.gz');
    expect(await upload(['dist/*.tgz'])).toMatchObject({ type: 'ActionFailed', data: { code: 'not-found', error: 'nothing matches dist/*.tgz: dist has app.tar.gz.' } });
    const passed = await upload(['dist/*.tgz', 'dist/*.gz'], { whenNone: 'pass' });
    expect([passed.type, names(passed)]).toEqual(['ActionSucceeded', ['app.tar.gz']]);
    await eventually(() => passed.said() === 'nothing matches dist/*.tgz: dist has app.tar.gz\nkept dist/app.tar.gz as app.tar.gz (15 bytes)\n');
    expect(names(await upload(['none/**'], { whenNone: 'pass' }))).toEqual([]);
  });

  it('keeps nothing when something is too large, too much, or outside', async () => {
    for (const name of ['a', 'b', 'c']) write(`big/${name}`, Buffer.alloc(name === 'c' ? 10 : 2000));
    expect(await upload(['big'], { maxBytes: 1024 })).toMatchObject({ type: 'ActionFailed', data: { code: 'too-large', error: 'big/a (2.0 KiB), big/b (2.0 KiB) are larger than the 1.0 KiB that are allowed for a file: make them smaller, or have the limit raised.' } });
    expect(await kept(`${prefix}/c`)).toBeUndefined();
    expect(await upload(['big'], { maxFiles: 2 })).toMatchObject({ type: 'ActionFailed', data: { code: 'too-large', error: expect.stringContaining('more than 2 files') } });
    expect(await upload(['big/a', 'big/b'], { maxFiles: 1 })).toMatchObject({ type: 'ActionFailed', data: { code: 'too-large' } });
    symlinkSync('/etc/hostname', join(root, 'big/out'));
    expect(await upload(['big/*'])).toMatchObject({ type: 'ActionFailed', data: { code: 'path-outside', error: 'big/out is a link that leads out of the folder of the lease, so it is not read.' } });
  });

  it('puts artifacts where they belong, and nothing that is damaged', async () => {
    const one = await give(`${transport}/in/one`, randomBytes(700_000));
    const two = await give(`${transport}/in/two`, Buffer.from('two'));
    const end = await run({ kind: 'download', items: [{ ...one, path: 'in/deep/one' }, { ...two, path: 'in/two' }] });
    expect(end.type).toBe('ActionSucceeded');
    expect([sha256(readFileSync(join(root, 'in/deep/one'))), readFileSync(join(root, 'in/two'), 'utf8')]).toEqual([one.sha256, 'two']);
    await eventually(() => end.said().split('\n').sort().join() === `,put ${transport}/in/one at in/deep/one (683.6 KiB),put ${transport}/in/two at in/two (3 bytes)`);
    for (const [wrong, sentence] of [[{ sha256: 'f'.repeat(64) }, 'its SHA-256 is'], [{ bytes: 2 }, 'more than the 2 bytes'], [{ bytes: 4 }, '3 of the 4 bytes']] as const) {
      const failed = await run({ kind: 'download', items: [{ ...two, ...wrong, path: 'bad/two' }] });
      expect(failed).toMatchObject({ type: 'ActionFailed', data: { code: 'checksum', error: expect.stringContaining(sentence) } });
    }
    expect(readdirSync(join(root, 'bad'))).toEqual([]);
    expect(await run({ kind: 'download', items: [{ ...two, object: 'gone', path: 'x' }] })).toMatchObject({ type: 'ActionFailed', data: { code: 'not-found', error: expect.stringContaining('The artifact gone is not kept') } });
    expect(await run({ kind: 'download', items: [{ ...one, path: 'a/b' }, { ...two, path: './a//b' }] })).toMatchObject({ type: 'ActionFailed', data: { code: 'same-name' } });
    symlinkSync('/tmp', join(root, 'away'));
    expect(await run({ kind: 'download', items: [{ ...two, path: 'away/x' }] })).toMatchObject({ type: 'ActionFailed', data: { code: 'path-outside' } });
  });

  it('keeps reports and tells what they say', async () => {
    const read = (paths: string[], more: Partial<Extract<ActionSpec, { kind: 'read-report' }>> = {}) =>
      run({ kind: 'read-report', paths, format: 'auto', prefix: (prefix = `${transport}/${++number}`), name: 'unit', whenNone: 'fail', ...more });
    const junit = (name: string, failed: boolean) => `<testsuite name="${name}" tests="1"><testcase name="${name}" classname="c">${failed ? '<failure message="no">x</failure>' : ''}</testcase></testsuite>`;
    write('reports/a.xml', junit('a', false));
    write('reports/deep/b.xml', junit('b', true));
    const end = await read(['reports/**/*.xml']);
    expect(end).toMatchObject({
      type: 'ActionSucceeded',
      data: {
        artifacts: [{ name: 'unit/a.xml', object: `${prefix}/unit/a.xml` }, { name: 'unit/deep/b.xml' }],
        report: { format: 'junit', kind: 'tests', tests: { total: 2, passed: 1, failed: 1 }, findings: [{ name: 'b', outcome: 'failed' }] },
      },
    });
    expect((await kept(`${prefix}/unit/deep/b.xml`))?.toString()).toBe(junit('b', true));
    expect(names(await read(['reports/a.xml'], { format: 'junit' }))).toEqual(['unit/a.xml']);
    expect(await read(['none.xml'])).toMatchObject({ type: 'ActionFailed', data: { code: 'not-found' } });
    const none = await read(['none.xml'], { whenNone: 'pass' });
    expect([none.type, names(none), 'report' in none.data]).toEqual(['ActionSucceeded', [], false]);
    write('reports/broken.xml', '<testsuite><testcase');
    // It is kept all the same, to be looked at.
    expect(await read(['reports/broken.xml'])).toMatchObject({ type: 'ActionFailed', data: { code: 'report', error: expect.stringMatching(/^reports\/broken\.xml: /), artifacts: [{ name: 'unit/broken.xml' }] } });
    expect(await read(['reports/a.xml'], { format: 'klingon' })).toMatchObject({ type: 'ActionFailed', data: { code: 'invalid-value', error: expect.stringContaining('use junit, tap') } });
    write('reports/lint.xml', '<checkstyle><file name="f"><error line="1" severity="error" message="m" source="s"/></file></checkstyle>');
    expect(await read(['reports/a.xml', 'reports/lint.xml'])).toMatchObject({ type: 'ActionFailed', data: { code: 'report', error: expect.stringContaining('reports/a.xml, reports/lint.xml') } });
  });

  it('are moved by the next gateway when this one goes', async () => {
    const content = randomBytes(6_000_000);
    write('large', content);
    const item = await give(`${transport}/large`, content);
    prefix = `${transport}/again`;
    const moves = [
      await begin({ kind: 'upload', paths: ['large'], prefix, whenNone: 'fail', maxBytes: 100_000_000, maxFiles: 1 }),
      await begin({ kind: 'download', items: [{ ...item, path: 'again/large' }] }),
    ];
    await eventually(() => existsSync(join(root, 'again')));
    await gateway.restart();
    for (const action of moves) expect(await gateway.ended(action)).toMatchObject({ type: 'ActionSucceeded' });
    expect([sha256((await kept(`${prefix}/large`)) ?? Buffer.alloc(0)), sha256(readFileSync(join(root, 'again/large'))), readdirSync(join(root, 'again'))]).toEqual([item.sha256, item.sha256, ['large']]);
    rmSync(join(root, 'large'));
  });

  it('checks out a repository beside others, and tells when its secret is not there', async () => {
    const repository = join(gateway.home, `repository-${transport}`);
    execFileSync('sh', ['-c', `git init -q -b main '${repository}' && cd '${repository}' && echo x >file && git add . && git -c user.name=n -c user.email=e@x commit -qm x`]);
    const commit = execFileSync('git', ['-C', repository, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
    const end = await run({ kind: 'checkout', path: 'libs/one', repository, ref: 'main', depth: 1, submodules: 'no', lfs: false });
    expect(end).toMatchObject({ type: 'ActionSucceeded', data: { path: join(root, 'libs/one'), commit } });
    await eventually(() => end.said() === `checked out ${repository} at ${commit} in libs/one\n`);
    expect(await run({ kind: 'checkout', repository: 'https://example.invalid/x', secret: 'deploy', submodules: 'no', lfs: false })).toMatchObject({ type: 'ActionFailed', data: { code: 'secret', error: expect.stringMatching(/^The secret deploy can't be used: there is none of this name/) } });
    expect(await run({ kind: 'checkout', repository, ref: 'none', path: 'x', submodules: 'no', lfs: false })).toMatchObject({ type: 'ActionFailed', data: { code: 'ref-missing', error: expect.stringContaining('has no branch, tag or commit none') } });
  });

  it('checks out with a token that is told nowhere', async () => {
    const web = await gitServer(gateway.home);
    web.token = `t0ken-${randomUUID()}`;
    const repository = `${web.url}/closed/repository-${transport}`;
    const secret = `deploy-${transport}`;
    expect(await gateway.setSecret(secret, web.token)).toMatchObject({ accepted: true });
    const spec = { kind: 'checkout', repository, secret, submodules: 'no', lfs: false } as const;
    const end = await run({ ...spec, path: 'closed' });
    expect(end).toMatchObject({ type: 'ActionSucceeded', data: { path: join(root, 'closed') } });
    expect(JSON.stringify([await gateway.events(end.id), end.said(), web.commandLines])).not.toContain(web.token);
    web.token = 'another';
    expect(await run({ ...spec, path: 'refused' })).toMatchObject({ type: 'ActionFailed', data: { code: 'access-denied', error: `the repository ${repository} lets nobody in from this host: the secret ${secret} is not accepted there` } });
    await web.close();
  });
});
