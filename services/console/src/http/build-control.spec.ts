import { rejected } from '@berth/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { scripted, type Scripted } from '../scripted.testing.js';

const id = '7f8c1d66-0000-5000-8000-000000000001';
const plan = { name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'A', id: 'a', run: 'true' }] };

/** What is said about builds over HTTP becomes a command, and a refusal a problem. */
describe('builds are steered over HTTP', () => {
  let console_: Scripted;
  beforeAll(async () => {
    console_ = await scripted();
    await console_.happen('build', id, { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'ada' } });
  });
  const accept = () => ({ accepted: true as const, id });

  test.each([
    ['POST', `builds/${id}/pause`, { reason: 'lunch' }, 'PauseBuild', { build: id, reason: 'lunch' }],
    ['POST', `builds/${id}/resume`, {}, 'ResumeBuild', { build: id }],
    ['POST', `builds/${id}/restart`, { host: 'same' }, 'RestartBuild', { build: id, host: 'same' }],
    ['POST', `builds/${id}/steps/a/rerun`, { reason: 'x' }, 'RerunStep', { build: id, step: 'a', reason: 'x' }],
    ['POST', `builds/${id}/steps/a/messages`, { type: 'pass', by: 'ada' }, 'SendBuildMessage', { build: id, step: 'a', type: 'pass', by: 'ada' }],
    ['POST', `builds/${id}/artifacts/pin`, { name: 'a/b', pinned: true }, 'PinArtifact', { build: id, name: 'a/b', pinned: true }],
    ['DELETE', `builds/${id}/artifacts/a/b?reason=old`, undefined, 'ReleaseArtifact', { build: id, name: 'a/b', reason: 'old' }],
  ] as const)('%s %s', async (method, path, body, type, data) => {
    console_.script({ [type]: accept });
    const answer = await console_.send(method, path, body);
    expect([answer.status, await answer.json()]).toEqual([202, { id }]);
    expect(console_.sent).toMatchObject([{ type, data }]);
  });

  test('a refusal says what it was refused for', async () => {
    console_.script({ PauseBuild: () => rejected('build-ended', 'The build is over: passed.', [{ field: 'data.build', message: "is passed and can't be paused any more" }]) });
    const answer = await console_.send('POST', `builds/${id}/pause`, {});
    expect([answer.status, await answer.json()]).toMatchObject([409, { code: 'build-ended', errors: [{ field: 'build' }] }]);
  });

  test('a link is added as it is, a file with its bytes, and what is refused leaves nothing', async () => {
    console_.script({ AddArtifact: accept });
    expect((await console_.send('POST', `builds/${id}/artifacts`, { name: 'docs', uri: 'https://docs.example/' })).status).toBe(201);
    expect(console_.sent[0]).toMatchObject({ data: { build: id, name: 'docs', uri: 'https://docs.example/' } });

    const file = (name: string) => console_.ask(`builds/${id}/artifacts?name=${name}`, { method: 'POST', body: 'hello', headers: { 'Content-Type': 'application/octet-stream' } });
    console_.script({ AddArtifact: accept });
    expect((await file('note.txt')).status).toBe(201);
    const added = console_.sent[0]!.data as { file: { object: string; bytes: number; sha256: string } };
    expect(added).toMatchObject({ name: 'note.txt', type: 'file', file: { bytes: 5, sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' } });
    await console_.happen('build', id, { type: 'ArtifactKept', data: { name: 'note.txt', ...added.file } });
    expect(await (await console_.ask(`builds/${id}/artifacts/note.txt`)).text()).toBe('hello');

    console_.script({ AddArtifact: () => rejected('name-taken', 'The build has another artifact note.txt.') });
    expect((await file('note.txt')).status).toBe(409);
    const refused = (console_.sent[0]!.data as { file: { object: string } }).file.object;
    await console_.happen('build', id, { type: 'ArtifactKept', data: { name: 'gone', object: refused, bytes: 5, sha256: 'a'.repeat(64) } });
    expect((await console_.ask(`builds/${id}/artifacts/gone`)).status).toBe(404);

    expect((await console_.ask(`builds/7f8c1d66-0000-5000-8000-00000000000f/artifacts?name=x`, { method: 'POST', body: 'x', headers: { 'Content-Type': 'application/octet-stream' } })).status).toBe(404);
  });

  test('where a link leads, whoever asks is sent', async () => {
    await console_.happen('build', id, { type: 'LinkAdded', data: { name: 'site', type: 'uri', uri: 'https://site.example/' } });
    const answer = await console_.ask(`builds/${id}/artifacts/site`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, 'https://site.example/']);
  });

  test('a plan is looked at, and nothing is saved', async () => {
    console_.script({ ValidatePlan: () => ({ accepted: true, id: 'p', data: { name: 'p', steps: [{ id: 'a', name: 'A' }] } }) });
    const answer = await console_.send('POST', 'plans/validate', { source: 'name: p' });
    expect([answer.status, await answer.json()]).toEqual([200, { name: 'p', steps: [{ id: 'a', name: 'A' }] }]);
  });
});
