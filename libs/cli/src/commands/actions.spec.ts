import { beforeAll, expect, test } from 'vitest';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});

const task = (name: string, published = true) => ({ task: name, title: name.toUpperCase(), description: `Does ${name}.`, published, permission: `jobs:${name}`, least: 'operator', may: true });
interface Printed {
  actions: { name: string; url: string }[];
}

test('the published tasks as the queue of Taskcluster takes them, with placeholders as they are', async () => {
  fake.routes({ 'GET job-tasks': [200, { items: [task('ping'), task('wake', false)], cursor: null }] });
  const { code, stdout } = await fake.berth('actions', 'register', '--url', 'https://berth.example/');
  expect([code, JSON.parse(stdout)]).toEqual([0, { actions: [{ name: 'ping', title: 'PING', context: 'worker', url: 'https://berth.example/api/v1/jobs?tc_worker_id=<workerId>&task_name=ping', method: 'POST', description: 'Does ping.' }] }]);
  const parts = JSON.parse((await fake.berth('actions', 'register', '--parts', '--json')).stdout) as Printed;
  expect(parts.actions[0]!.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api\/v1\/workers\/<workerId>\/jobs\?task_name=ping&worker_group=<workerGroup>&worker_type=<workerType>&provisioner_id=<provisionerId>$/);
  for (const wrong of ['berth', 'ftp://berth.example', 'https://berth.example?x=1']) expect(await fake.berth('actions', 'register', '--url', wrong)).toMatchObject({ code: 2, stderr: expect.stringContaining('Use an address such as https://berth.example.') });
});
