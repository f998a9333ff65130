import { beforeAll, expect, test } from 'vitest';
import { activeLease, install, type Installation } from '../console.testing.js';

let berth: Installation;
beforeAll(async () => {
  berth = await install();
});

const post = async (path: string): Promise<[number, Record<string, string>]> => {
  const response = await berth.ask(path, { method: 'POST' });
  return [response.status, (await response.json()) as Record<string, string>];
};

test('from saying how a machine is managed to a job on it, with the gateway that carries it out', { timeout: 60_000 }, async () => {
  const { jobs, hardware } = berth.berth;
  expect(await post('jobs?tc_worker_id=w&task_name=ping')).toEqual([404, { tc_worker_id: 'TC worker with that ID not found.' }]);
  const document = { groups: [{ name: 'spec', escalation: [{ method: 'ssh_reboot' as const }] }], hardware: [{ name: 'box', address: '127.0.0.1', groups: ['spec'], workers: [{ id: 'w', group: 'g' }] }] };
  const imported = await hardware.import(document);
  expect([...imported.groups, ...imported.hardware].map(({ name, change, error }) => [name, change, error])).toEqual([['spec', 'added', null], ['box', 'added', null]]);
  expect((await hardware.import(document, { prune: true })).hardware).toEqual([{ name: 'box', change: 'same', paths: [], error: null }]);
  expect(await hardware.get('box')).toMatchObject({ enrolled: true, loan: null });
  expect(await post('workers/w/jobs?task_name=ping&worker_group=other')).toEqual([404, { tc_worker_id: 'Not managing hardware running that TC worker.' }]);
  expect((await post('jobs?tc_worker_id=w&task_name=ipmi_off'))[0]).toBe(409);

  // It waits for whoever has the machine, so it is live, and a second one is not begun.
  await activeLease(berth);
  const [status, { task_id: id = '' }] = await post('jobs?tc_worker_id=w&task_name=reboot');
  expect(status).toBe(201);
  expect(await jobs.get(id)).toMatchObject({ id, machine: 'box', worker: { id: 'w' }, status: 'QUEUED', requester: 'token:admin', escalation: [{ method: 'ssh_reboot' }] });
  expect(await post('workers/w/group/g/jobs?task_name=reboot')).toEqual([409, { detail: expect.stringContaining(id) as string, task_id: id }]);
  expect(await hardware.remove('box').catch((error: { code: string }) => error.code)).toBe('hardware-in-use');
  expect(await jobs.cancel(id, 'no need', { wait: '30s' })).toMatchObject({ settled: true, status: 'CANCELLED' });
  expect((await jobs.list({ status: 'CANCELLED' })).items.map((job) => [job.id, job.error])).toEqual([[id, { code: 'cancelled', message: 'no need' }]]);
});
