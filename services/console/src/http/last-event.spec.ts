import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { Problem } from '@berth/client';
import { scripted, type Scripted } from '../scripted.testing.js';
import { jobOf } from './jobs.testing.js';

let berth: Scripted;
let job: string;
beforeAll(async () => {
  berth = await scripted();
  job = await jobOf(berth);
});

const wrong = { message: 'use an id of the feed, such as 123' };

test.each<[string, Record<string, string>, Problem['errors']]>([
  ['', { 'Last-Event-ID': 'x' }, [{ field: 'Last-Event-ID', ...wrong }]],
  ['?after=5', { 'Last-Event-ID': 'x' }, [{ field: 'Last-Event-ID', ...wrong }]],
  ['?after=x', {}, [{ field: 'after', ...wrong }]],
])('a place that is none is told under the name that it was said by: %s %j', async (query, headers, errors) => {
  for (const path of ['events', `jobs/${job}/events`]) {
    const response = await berth.ask(`${path}${query}`, { headers });
    expect([path, response.status, ((await response.json()) as Problem).errors]).toEqual([path, 422, errors]);
  }
});

test('kinds and ids may stand in one parameter or in several', async () => {
  const [one, other] = [randomUUID(), randomUUID()];
  for (const id of [one, other, randomUUID()]) await berth.happen('action', id, { type: 'ActionStarted', data: {} });
  for (const query of [`ids=${one},${other}`, `ids=${one}&ids=${other}&kinds=lease&kinds=action`]) {
    const response = await berth.ask(`events?after=0&${query}`);
    let text = '';
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
      text += piece;
      if ((text.match(/^data: /gm) ?? []).length >= 2) break;
    }
    expect([...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => (JSON.parse(data!) as { id: string }).id)).toEqual([one, other]);
  }
});
