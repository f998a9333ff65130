import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BlueprintView } from '@berth/client';
import { blueprintSpec } from '@berth/contracts';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
let folder: string;
beforeAll(async () => {
  fake = await fakeBerth();
  folder = await tempFolder('blueprints');
});

const id = '7f8c1d66-0000-5000-8000-000000000001';

describe('blueprints', () => {
  const saved = { 'PUT blueprints/*': ({ path }: { path: string }) => [201, { id: 'x', name: path.split('/')[1], version: 2 }] as const };
  const two = 'name: a\nkind: local\nslots: 3\n---\nname: b\nkind: service\nstart: "true"\n';

  test('applied from a file, and from standard input', async () => {
    fake.routes(saved);
    await writeFile(join(folder, 'two.yaml'), two);
    expect(await fake.berth('blueprint', 'apply', join(folder, 'two.yaml'))).toEqual({ code: 0, stderr: '', stdout: 'Blueprint a is saved as version 2.\nBlueprint b is saved as version 2.\n' });
    expect(fake.asked).toEqual([{ method: 'PUT', path: 'blueprints/a', body: { name: 'a', kind: 'local', slots: 3 } }, { method: 'PUT', path: 'blueprints/b', body: { name: 'b', kind: 'service', start: 'true' } }]);
    expect((await fake.piped(two, 'blueprint', 'apply', '-', '--no-check', '--json')).stdout).toBe('{"items":[{"name":"a","version":2},{"name":"b","version":2}]}\n');
    expect(fake.asked.at(-1)!.path).toBe('blueprints/b?check=false');
  });

  test('nothing is saved of a file with an error; what the service refuses says where', async () => {
    fake.routes(saved);
    const faulty = await fake.piped(`${two}slots: 1\n`, 'blueprint', 'apply', '-');
    expect(faulty).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^berth: Nothing is saved\. standard input, document 2 \(b\): line 8, column 1: unknown key "slots"/) });
    expect(fake.asked).toEqual([]);
    fake.routes({ 'PUT blueprints/b': [422, { code: 'provider-refused', detail: 'It could not launch.', errors: [{ field: 'start', message: 'does not' }] }], ...saved });
    const refused = await fake.piped(two, 'blueprint', 'apply', '-');
    expect(refused).toEqual({ code: 1, stdout: '', stderr: 'berth: standard input, document 2 (b): It could not launch. Saved before it: a.\n  standard input, document 2 (b): start: line 7, column 1: does not\n' });
    expect(await fake.berth('blueprint', 'apply', join(folder, 'absent.yaml'))).toMatchObject({ code: 1, stderr: expect.stringContaining("can't be read (ENOENT)") });
  });

  test('enabled, disabled, removed', async () => {
    fake.routes({ 'POST blueprints/*/*': [202, { id: 'a' }], 'DELETE blueprints/*': [202, { id: 'a' }] });
    for (const words of [['enable', 'a'], ['disable', 'a', '--reason', 'costs'], ['remove', 'a']]) expect((await fake.berth('blueprint', ...words)).code).toBe(0);
    expect(fake.asked.map(({ method, path, body }) => [method, path, body])).toEqual([['POST', 'blueprints/a/enable', {}], ['POST', 'blueprints/a/disable', { reason: 'costs' }], ['DELETE', 'blueprints/a', undefined]]);
  });

  test('shown and listed', async () => {
    const counts = { total: 4, free: 1, busy: 2, booting: 1, held: 0, quarantined: 0, draining: 0, unreachable: 0, broken: 0 };
    const spec = blueprintSpec.parse({ name: 'db', kind: 'service', start: 'true' });
    const view: BlueprintView = {
      name: 'db', kind: 'service', type: 'service', answersTo: 'a service', description: 'a database', version: 3, saved: '2030-01-01T00:00:00Z', enabled: true, disabledReason: null,
      breaker: { until: '2999-01-01T00:00:00Z', reason: 'no image', failures: 3 }, refusedOffers: [{ offer: 'a/b/spot', fault: 'capacity', error: 'none left', until: '2999-01-01T00:00:00Z' }],
      lastFailure: { resource: id, fault: 'image', error: 'no image', offer: null, at: '2030-01-01T00:00:00Z' }, attributes: { class: 'x' }, spec, free: 1, busy: 2, slots: counts, resources: [],
    };
    fake.routes({ 'GET blueprints': [200, { items: [view, { ...view, name: 'old', version: 0, breaker: null, enabled: false }], cursor: null }], 'GET blueprints/db': [200, view] });
    expect((await fake.berth('blueprint', 'list')).stdout).toMatch(/^db +service +1 +2 +not launching +3 +a database, class=x\nold +service +1 +2 +disabled +built in /m);
    const { stdout } = await fake.berth('blueprint', 'show', 'db');
    expect(stdout).toMatch(/^not launching +no image; 3 launches in a row failed, next try in /m);
    expect(stdout).toMatch(/^slots +1 free, 2 busy, 1 booting$/m);
    expect(stdout).toMatch(/^a\/b\/spot +capacity +none left +in /m);
    expect(stdout).toMatch(/^start: "true"$/m);
  });

  test('an example of each kind', async () => {
    const { stdout } = await fake.berth('blueprint', 'example', 'ec2');
    fake.routes(saved);
    expect((await fake.piped(stdout, 'blueprint', 'apply', '-')).code).toBe(0);
    expect((await fake.berth('blueprint', 'example', 'boat')).code).toBe(2);
    expect(JSON.parse((await fake.berth('blueprint', 'example', 'local', '--json')).stdout)).toMatchObject({ kind: 'local' });
  });
});
