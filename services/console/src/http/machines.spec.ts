import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Accepted, Problem } from '@berth/client';
import { rejected } from '@berth/contracts';
import { scripted, type Scripted } from '../scripted.testing.js';

let berth: Scripted;
const box = { name: 'box', address: '10.0.0.1', port: 22, user: 'ci', credential: 'agent', platform: 'linux', attributes: { os: 'linux' }, slots: 2, hostKey: 'ssh-ed25519 AAAA', facts: { cpus: '8' } };

beforeAll(async () => {
  berth = await scripted();
  await berth.happen('machine', 'box', { type: 'MachineAdded', data: box });
});
beforeEach(() => {
  berth.sent.length = 0;
  berth.script({
    ChangeMachine: async ({ data: { name, ...changes } }) => ({ accepted: true, id: String(name), position: await berth.happen('machine', 'box', { type: 'MachineChanged', data: { ...box, ...changes, changed: Object.keys(changes) } }) }),
  });
});
const problem = async (response: Response): Promise<[number, string, unknown]> => {
  const { code, errors } = (await response.json()) as Problem;
  return [response.status, code, errors];
};

test('one that was enrolled before it could be said who may use it is for everybody', async () => {
  expect((await berth.berth.machines.get('box')).allow).toEqual({ projects: [], owners: [] });
});

test('PATCH hands on what it says and nothing else, and a read after it shows the change', async () => {
  const id = randomUUID();
  const response = await berth.send('PATCH', 'machines/box', { slots: 4, folder: null, allow: { projects: ['widgets'], owners: [] } }, { 'Idempotency-Key': id });
  const body = (await response.json()) as Accepted;
  expect([response.status, response.headers.get('location'), body.id]).toEqual([202, '/api/v1/machines/box', 'box']);
  expect(berth.sent).toEqual([expect.objectContaining({ type: 'ChangeMachine', id, data: { name: 'box', slots: 4, folder: null, allow: { projects: ['widgets'], owners: [] } } })]);
  const shown = await berth.berth.machines.get('box');
  expect(shown).toMatchObject({ slots: 4, folder: null, allow: { projects: ['widgets'], owners: [] } });
  // The list is made of rows of the database, which hold the same.
  const { items } = (await (await berth.ask(`machines?after=${body.position}`)).json()) as { items: unknown[] };
  expect(items).toEqual([shown]);
});

test('as a merge patch by its own type, by the client, and with its own name in it', async () => {
  const response = await berth.send('PATCH', 'machines/box', { name: 'box', slots: 3 }, { 'Content-Type': 'application/merge-patch+json' });
  expect([response.status, berth.sent[0]!.data]).toEqual([202, { name: 'box', slots: 3 }]);
  expect(await berth.berth.machines.change('box', { attributes: { gpu: 'yes', os: null } })).toMatchObject({ id: 'box' });
  expect(berth.sent[1]!.data).toEqual({ name: 'box', attributes: { gpu: 'yes', os: null } });
});

test('its history tells what was changed, and by whom', async () => {
  await berth.berth.machines.change('box', { slots: 5 });
  expect((await berth.berth.history('box')).items.at(-1)).toMatchObject({ type: 'MachineChanged', data: { changed: ['slots'], slots: 5 } });
});

test('another name, no object, and no such machine are refused', async () => {
  expect(await problem(await berth.send('PATCH', 'machines/box', { name: 'other' }))).toEqual([422, 'invalid-data', [{ field: 'name', message: 'must be box, or left out: a machine keeps its name' }]]);
  expect((await problem(await berth.send('PATCH', 'machines/box', [1])))[1]).toBe('invalid-data');
  expect((await problem(await berth.send('PATCH', 'machines/no%20name', { slots: 2 })))[1]).toBe('unknown-machine');
  expect(berth.sent).toEqual([]);
  berth.script({ ChangeMachine: () => rejected('machine-changed', 'Machine box is not changed: it was changed meanwhile.', [{ field: 'data.name', message: 'look at it again' }]) });
  expect(await problem(await berth.send('PATCH', 'machines/box', { user: 'x' }))).toEqual([409, 'machine-changed', [{ field: 'name', message: 'look at it again' }]]);
});

test('a viewer may not', async () => {
  const { secret } = await berth.berth.tokens.create({ name: 'looker', role: 'viewer' });
  const response = await fetch(`${berth.berth.access.url}/api/v1/machines/box`, { method: 'PATCH', body: '{"slots":1}', headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' } });
  expect([(await problem(response))[1], berth.sent]).toEqual(['forbidden', []]);
});

describe('based on a read', () => {
  const tagOf = async (path: string): Promise<string> => (await berth.ask(path)).headers.get('etag')!;

  test('its position goes with the command, and decides there', async () => {
    const position = await berth.happen('machine', 'box', { type: 'MachineChanged', data: { ...box, changed: ['slots'] } });
    await berth.send('PATCH', 'machines/box', { slots: 4 }, { 'If-Match': `"other", ${await tagOf(`machines/box?after=${position}`)}` });
    expect(berth.sent).toEqual([expect.objectContaining({ type: 'ChangeMachine', base: expect.any(Number) as number })]);
    expect(berth.sent[0]!.base).toBeGreaterThanOrEqual(position);
    berth.script({ ChangeMachine: () => rejected('changed-meanwhile', 'It was changed meanwhile.') });
    expect(await problem(await berth.send('PATCH', 'machines/box', { slots: 4 }, { 'If-Match': await tagOf('machines/box') }))).toEqual([412, 'changed-meanwhile', []]);
  });

  test('one that was changed and changed back is read with another tag: what was written on the first would be refused for good', async () => {
    const before = await berth.happen('machine', 'box', { type: 'MachineChanged', data: { ...box, changed: ['slots'] } });
    const first = await tagOf(`machines/box?after=${before}`);
    const hashOf = (tag: string | null) => tag?.slice(-17);
    const again = () => berth.ask('machines/box', { headers: { 'If-None-Match': first } });
    expect((await again()).status).toBe(304);
    const position = await berth.happen('machine', 'box', { type: 'MachineChanged', data: { ...box, slots: 9, changed: ['slots'] } }, { type: 'MachineChanged', data: { ...box, changed: ['slots'] } });
    await berth.ask(`machines/box?after=${position}`);
    const read = await again();
    expect(read.status).toBe(200);
    expect(hashOf(read.headers.get('etag'))).toBe(hashOf(first));
    expect(read.headers.get('etag')).not.toBe(first);
  });

  test('a tag of something else has no effect but to be refused; without one nothing is asked', async () => {
    const refused = [412, 'changed-meanwhile', []];
    for (const tag of [await tagOf('machines'), await tagOf('quota'), '"of somebody else"']) expect(await problem(await berth.send('PATCH', 'machines/box', { slots: 4 }, { 'If-Match': tag }))).toEqual(refused);
    expect((await problem(await berth.send('PATCH', 'machines/box', { slots: 4 }, { 'If-Match': '*' })))[1]).toBe('invalid-data');
    expect(berth.sent).toEqual([]);
    await berth.send('PATCH', 'machines/box', { slots: 4 });
    expect(berth.sent).toEqual([expect.not.objectContaining({ base: expect.anything() as unknown })]);
  });
});
