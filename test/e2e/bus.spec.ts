import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '@berth/contracts';
import { leaseService } from '@berth/lease';
import { startService, type RunningService } from '@berth/runtime';
import { streams } from '@berth/nats';
import { startTestNats, type TestNats } from '../support/nats.js';
import { eventually } from '../support/wait.js';

/** The public contract of the bus, spoken as a stranger would: plain NATS requests. */
describe('the bus', () => {
  let nats: TestNats;
  let connection: NatsConnection;
  let lease: RunningService;

  const ask = async (subject: string, payload: string): Promise<Answer> => (await connection.request(subject, payload, { timeout: 5000 })).json();
  const send = (type: string, data: object, id: string = randomUUID()) => ask(`berth.cmd.lease.${type}`, JSON.stringify({ id, type, data }));
  const counts = async (stream: string) => (await (await connection.jetstreamManager()).streams.info(stream)).state.messages;

  beforeAll(async () => {
    nats = await startTestNats();
    connection = await connect({ servers: nats.url });
    lease = await startService(leaseService, { home: nats.home, httpPort: 0, natsUrl: nats.url, databaseUrl: '', logLevel: 'silent', sweepMs: 60_000, sweepGraceMs: 300_000 }, (error) => expect.unreachable(error.message));
  });
  afterAll(async () => {
    await lease.stop();
    await connection.close();
  });

  test('a command is answered with the id of what it made', async () => {
    const id = randomUUID();
    expect(await send('RequestLease', { type: 'host', owner: 'ada' }, id)).toMatchObject({ accepted: true, id });
  });

  test('the same id twice has one effect and the same answer', async () => {
    const id = randomUUID();
    const before = await counts(streams.events.name);
    const answers = await Promise.all(Array.from({ length: 5 }, () => send('RequestLease', { type: 'host' }, id)));
    for (const answer of answers) expect(answer).toMatchObject({ accepted: true, id });
    expect(await send('RequestLease', { type: 'host' }, id)).toMatchObject({ accepted: true, id });
    expect(await counts(streams.events.name)).toBe(before + 1);
  });

  test('a command without a reply subject is carried out', async () => {
    const id = randomUUID();
    connection.publish('berth.cmd.lease.RequestLease', JSON.stringify({ id, type: 'RequestLease', data: { type: 'host' } }));
    await eventually(async () => expect(await send('ReleaseLease', { lease: id })).toMatchObject({ accepted: true }));
  });

  test('a publish through JetStream is answered too', async () => {
    const id = randomUUID();
    const answer = await connection.jetstream().publish('berth.cmd.lease.RequestLease', JSON.stringify({ id, type: 'RequestLease', data: { type: 'host' } }));
    expect(answer).toMatchObject({ accepted: true, id });
  });

  test.each([
    ['not JSON', 'RequestLease', '{"id":', 'invalid-json', '(the whole)'],
    ['no id', 'RequestLease', '{"type":"RequestLease","data":{}}', 'invalid-command', 'id'],
    ['an id that is no UUID', 'RequestLease', '{"id":"7","type":"RequestLease"}', 'invalid-command', 'id'],
    ['a type that is not the subject', 'RequestLease', `{"id":"${randomUUID()}","type":"RenewLease"}`, 'invalid-command', 'type'],
    ['a command nobody knows', 'BuyLease', `{"id":"${randomUUID()}","type":"BuyLease"}`, 'unknown-command', 'type'],
    ['a field of the wrong kind', 'RequestLease', `{"id":"${randomUUID()}","type":"RequestLease","data":{"type":"castle"}}`, 'invalid-data', 'data.type'],
    ['a time in the past', 'RequestLease', `{"id":"${randomUUID()}","type":"RequestLease","data":{"type":"host","until":"2001-01-01T00:00:00Z"}}`, 'invalid-data', 'data.until'],
    ['a host that stands on a lease', 'RequestLease', `{"id":"${randomUUID()}","type":"RequestLease","data":{"type":"host","host":{"lease":"${randomUUID()}"}}}`, 'invalid-data', 'data.host'],
    ['an expression that can not be read', 'RequestLease', `{"id":"${randomUUID()}","type":"RequestLease","data":{"type":"host","attributes":{"cpus":">=many"}}}`, 'invalid-data', 'data.attributes.cpus'],
    ['a lease that is not there', 'ReleaseLease', `{"id":"${randomUUID()}","type":"ReleaseLease","data":{"lease":"${randomUUID()}"}}`, 'unknown-lease', 'data.lease'],
  ])('%s is refused, the field is named, and the queue goes on', async (_, type, payload, code, field) => {
    const answer = await ask(`berth.cmd.lease.${type}`, payload);
    expect(answer).toMatchObject({ accepted: false, code, errors: [{ field }] });
    expect(answer.accepted || answer.message).toMatch(/\.$/);
    expect(await send('RequestLease', { type: 'host' })).toMatchObject({ accepted: true });
  });

  test('what could not be read is kept as a dead letter with the reason', async () => {
    const before = await counts(streams.dead.name);
    connection.publish('berth.cmd.lease.RenewLease', 'rubbish');
    await eventually(async () => expect(await counts(streams.dead.name)).toBe(before + 1));
    const letter = await (await connection.jetstreamManager()).streams.getMessage(streams.dead.name, { last_by_subj: 'berth.dead.lease.RenewLease' });
    expect(letter.header.get('Berth-Reason')).toContain('not JSON');
    expect(letter.string()).toBe('rubbish');
    expect(await counts(streams.commands.name)).toBe(0);
  });

  test('a lease renewed after its release is refused', async () => {
    const id = randomUUID();
    await send('RequestLease', { type: 'host' }, id);
    await send('ReleaseLease', { lease: id });
    expect(await send('RenewLease', { lease: id, until: '2099-01-01T00:00:00Z' })).toMatchObject({ accepted: false, code: 'lease-ended', errors: [{ field: 'data.lease' }] });
  });

  test('twenty releases at once release once', async () => {
    const id = randomUUID();
    await send('RequestLease', { type: 'host' }, id);
    const before = await counts(streams.events.name);
    const answers = await Promise.all(Array.from({ length: 20 }, () => send('ReleaseLease', { lease: id })));
    for (const answer of answers) expect(answer).toMatchObject({ accepted: true });
    expect(await counts(streams.events.name)).toBe(before + 1);
  });

  test('a lease ends by itself at its time', async () => {
    const id = randomUUID();
    await send('RequestLease', { type: 'host', until: new Date(Date.now() + 300).toISOString() }, id);
    await eventually(async () => {
      const status = await (await connection.jetstreamManager()).streams.getMessage(streams.status.name, { last_by_subj: `berth.status.lease.${id}` });
      expect(status.json()).toMatchObject({ specversion: '1.0', type: 'dev.berth.lease.destroyed', subject: id, data: { id, status: 'destroyed', percent: 100, activity: 'expired', error: null } });
    });
  });

  test('after a restart the state is what the events say, and nothing is told twice', async () => {
    const id = randomUUID();
    await send('RequestLease', { type: 'host', owner: 'ada' }, id);
    await lease.stop();
    const told: string[] = [];
    const listening = connection.subscribe('berth.status.lease.*', { callback: (_, message) => void told.push(message.subject) });
    lease = await startService(leaseService, { home: nats.home, httpPort: 0, natsUrl: nats.url, databaseUrl: '', logLevel: 'silent', sweepMs: 60_000, sweepGraceMs: 300_000 }, (error) => expect.unreachable(error.message));
    expect(await send('ReleaseLease', { lease: id })).toMatchObject({ accepted: true });
    await eventually(() => expect(told).toContain(`berth.status.lease.${id}`));
    expect(told).toHaveLength(1);
    listening.unsubscribe();
  });
});
