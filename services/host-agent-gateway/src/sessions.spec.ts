import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { checkedBodies, LiveEnd, type HostAccess, type LiveEnding, type LiveListener, type LiveOpening } from '@berth/contracts';
import { relayLive } from '@berth/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import { atEndOfFile } from '../../../test/support/cleanup.js';
import { startTestSshd, type TestSshd } from '../../../test/support/sshd.js';
import { eventually } from '../../../test/support/wait.js';
import { startGateway, type TestGateway } from './gateway.testing.js';
import { commandLines } from './runner/runner.testing.js';

let gateway: TestGateway;
let sshd: TestSshd;
let number = 0;
const SOON = { timeoutMs: 10_000 };
const access = (transport: 'ssh' | 'local'): HostAccess => ({
  transport, address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, hostKey: sshd.hostKeyPublic, platform: 'linux', folder: join(gateway.home, `host-${++number}`),
});
const running = (word: string) => commandLines().filter((line) => line === word);

/** Somebody at the other end, who keeps what is said. */
class Person {
  said = '';
  errors = '';
  eof = false;
  opened = false;
  ended: (LiveEnding & { by: string }) | undefined;
  readonly end: LiveEnd;

  constructor(action: string, opening: Omit<LiveOpening, 'window'> = {}, data?: LiveListener['data']) {
    const relay = relayLive(gateway.connection, action, randomUUID(), (message) => this.end.receive(message));
    this.end = new LiveEnd(relay.up, {
      opened: () => void (this.opened = true),
      data: data ?? ((stream, bytes) => void (stream === 'err' ? (this.errors += Buffer.from(bytes).toString()) : (this.said += Buffer.from(bytes).toString()))),
      eof: () => void (this.eof = true),
      ended: (ending, by) => {
        this.ended = { ...ending, by };
        relay.close();
      },
    }, checkedBodies);
    this.end.begin(opening);
  }

  types(text: string): void {
    void this.end.write('in', Buffer.from(text));
  }

  hears(what: string | RegExp): Promise<unknown> {
    return eventually(() => expect(this.said.replaceAll('\r', '')).toMatch(what), SOON);
  }

  over(): Promise<LiveEnding & { by: string }> {
    return eventually(() => this.ended ?? false, SOON);
  }
}

beforeAll(async () => {
  [gateway, sshd] = await Promise.all([startGateway(), startTestSshd()]);
});

describe.each(['ssh', 'local'] as const)('over %s', (transport) => {
  const host = (how: 'enrolled' | 'launched' = 'launched') => gateway.host(how, access(transport));

  it('a terminal has a size that changes, knows where it is and whose, takes Ctrl-C, and ends with the code of its shell', async () => {
    const { lease, token } = await host();
    const action = await gateway.run(lease, token, { kind: 'terminal', term: 'vt220', command: 'PS1="now> " exec sh -i' });
    const person = new Person(action, { size: { columns: 101, rows: 31 } });
    await person.hears('now> ');
    person.types('stty size; echo "$TERM $BERTH_LEASE" $(basename "$PWD")\n');
    await person.hears(`31 101\nvt220 ${lease} ${lease}\n`);
    person.end.resize({ columns: 77, rows: 22 });
    await eventually(() => {
      if (person.said.includes('\n22 77')) return;
      person.types('stty size\n');
      throw new Error(person.said);
    }, { timeoutMs: 10_000, everyMs: 100 });
    person.types('sleep 300\n');
    await eventually(() => running('sleep 300').length > 0);
    person.types('\x03');
    await eventually(() => running('sleep 300').length === 0);
    person.types('exit 7\n');
    expect(await person.over()).toEqual({ code: 'exit', message: 'It ended with exit code 7.', exitCode: 7, by: 'them' });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionSucceeded', data: { exitCode: 7 } });
    expect((await gateway.events(action)).map(({ type }) => type)).toEqual(['ActionRequested', 'ActionStarted', 'ActionSucceeded']);
  });

  it('without a terminal bytes go through untouched, standard error is apart, and the last words come before the end', async () => {
    const { lease, token } = await host();
    const action = await gateway.run(lease, token, { kind: 'terminal', tty: false, command: 'sha256sum; echo oops >&2; seq 1 200000; exit 3' });
    const content = randomBytes(2 * 1024 * 1024 + 17);
    // Whoever listens is slow at times.
    let pieces = 0;
    const said: Buffer[] = [];
    const errors: Buffer[] = [];
    const person = new Person(action, {}, async (stream, bytes) => {
      if (++pieces % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      (stream === 'err' ? errors : said).push(Buffer.from(bytes));
    });
    await person.end.write('in', content);
    person.end.finish();
    expect(await person.over()).toMatchObject({ code: 'exit', exitCode: 3 });
    const [sum, ...lines] = Buffer.concat(said).toString().trimEnd().split('\n');
    expect(sum).toBe(`${createHash('sha256').update(content).digest('hex')}  -`);
    expect([lines.length, lines.at(-1)]).toEqual([200_000, '200000']);
    expect(Buffer.concat(errors).toString()).toBe('oops\n');
  });

  it('ends at once with its lease, with what it left running', async () => {
    const { lease, token } = await host();
    const left = `sleep 71${transport.length}1`;
    const action = await gateway.run(lease, token, { kind: 'terminal', command: `PS1="now> " exec sh -i` });
    const person = new Person(action);
    await person.hears('now> ');
    person.types(`nohup ${left} >/dev/null 2>&1 &\n`);
    await eventually(() => running(left).length === 1);
    await gateway.lease(lease, { type: 'LeaseReleased', data: { reason: 'released', expired: false } });
    expect(await person.over()).toMatchObject({ code: 'interrupted', message: 'Its lease ended.', by: 'them' });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionCancelled', data: { reason: 'its lease ended' } });
    expect(running(left)).toEqual([]);
    await expect(gateway.run(lease, token, { kind: 'terminal' })).rejects.toThrow('lease-not-active');
  });

  it('whoever leaves has the shell hung up; what runs in the background goes on until the lease ends', async () => {
    const { lease, token } = await host();
    const [foreground, background] = [`sleep 72${transport.length}1`, `sleep 72${transport.length}2`];
    const action = await gateway.run(lease, token, { kind: 'terminal', command: `PS1="now> " exec sh -i` });
    const person = new Person(action);
    await person.hears('now> ');
    person.types(`nohup ${background} >/dev/null 2>&1 &\n${foreground}\n`);
    await eventually(() => running(background).length === 1 && running(foreground).length === 1, SOON);
    person.end.abort({ code: 'left', message: 'Whoever was there left.' });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionFailed', data: { code: 'client-gone', error: 'Whoever was there left.' } });
    await eventually(() => running(foreground).length === 0);
    expect(running(background)).toHaveLength(1);
    const removal = await gateway.run(lease, token, { kind: 'remove-working-copy', copy: lease });
    expect(await gateway.ended(removal)).toMatchObject({ type: 'ActionSucceeded' });
    expect(running(background)).toEqual([]);
  });

  it('without a terminal, whoever leaves ends all of it', async () => {
    const { lease, token } = await host();
    const line = `sleep 73${transport.length}1`;
    const action = await gateway.run(lease, token, { kind: 'terminal', tty: false, command: `${line} & ${line}` });
    const person = new Person(action);
    await eventually(() => running(line).length === 2, SOON);
    person.end.abort({ code: 'left', message: 'Whoever was there left.' });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionFailed', data: { code: 'client-gone' } });
    expect(running(line)).toEqual([]);
  });

  describe('a forward', () => {
    let server: Server;
    let port: number;
    const sockets = new Set<Socket>();
    /** Says what it was sent once that has ended. */
    beforeAll(async () => {
      server = createServer({ allowHalfOpen: true }, (socket) => {
        sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => undefined));
        socket.pipe(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      port = (server.address() as AddressInfo).port;
      atEndOfFile(() => new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }));
    });

    it('carries many connections at a time, bytes both ways with a slow reader, each closed on its own', async () => {
      const { lease, token } = await host();
      const action = await gateway.run(lease, token, { kind: 'forward', port });
      const keeper = new Person(action, { keeps: true });
      await eventually(() => keeper.opened, SOON);
      await Promise.all(
        [3 * 1024 * 1024 + 1, 0, 5, 100_000].map(async (size) => {
          const content = randomBytes(size);
          const back: Buffer[] = [];
          const one = new Person(action, {}, async (_stream, bytes) => {
            if (back.push(Buffer.from(bytes)) % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
          });
          if (size > 0) await one.end.write('in', content);
          one.end.finish();
          expect(await one.over()).toMatchObject({ code: 'closed', by: 'them' });
          expect(one.eof).toBe(true);
          expect(Buffer.concat(back).equals(content)).toBe(true);
        }),
      );
      keeper.end.abort({ code: 'left', message: 'Enough.' });
      expect(await gateway.ended(action)).toMatchObject({ type: 'ActionSucceeded' });
      await eventually(() => sockets.size === 0);
    });

    it('says that nothing listens there, and goes on; ends with its lease', async () => {
      const { lease, token } = await host();
      const action = await gateway.run(lease, token, { kind: 'forward', port: 1 });
      const keeper = new Person(action, { keeps: true });
      await eventually(() => keeper.opened, SOON);
      const one = new Person(action);
      expect(await one.over()).toMatchObject({ code: 'connect-refused', message: expect.stringMatching(/^Nothing can be reached at 127\.0\.0\.1:1 from host/) });
      expect(keeper.ended).toBeUndefined();
      await gateway.lease(lease, { type: 'LeaseReleased', data: { reason: 'released', expired: false } });
      expect(await keeper.over()).toMatchObject({ code: 'interrupted', message: 'Its lease ended.' });
      expect(await gateway.ended(action)).toMatchObject({ type: 'ActionCancelled' });
    });

    it('leaves no connection open when its lease ends', async () => {
      const { lease, token } = await host();
      const action = await gateway.run(lease, token, { kind: 'forward', port });
      const keeper = new Person(action, { keeps: true });
      const one = new Person(action);
      one.types('hello');
      await one.hears('hello');
      await gateway.lease(lease, { type: 'LeaseReleased', data: { reason: 'released', expired: false } });
      for (const person of [keeper, one]) expect(await person.over()).toMatchObject({ message: 'Its lease ended.' });
      await eventually(() => sockets.size === 0);
    });
  });
});

describe('who may, and for how long', () => {
  it('refuses a stale token, and more than so many at a time', async () => {
    const { lease, token } = await gateway.host('launched', access('ssh'));
    await expect(gateway.run(lease, token + 1, { kind: 'terminal' })).rejects.toThrow('stale-token');
    await expect(gateway.run(lease, token + 1, { kind: 'forward', port: 80 })).rejects.toThrow('stale-token');
    const open = await Promise.all(Array.from({ length: 16 }, () => gateway.run(lease, token, { kind: 'forward', port: 80 })));
    for (const action of open) await gateway.started(action);
    await expect(gateway.run(lease, token, { kind: 'terminal' })).rejects.toThrow('too-many-sessions');
    await gateway.lease(lease, { type: 'LeaseReleased', data: { reason: 'released', expired: false } });
    for (const action of open) expect(await gateway.ended(action)).toMatchObject({ type: 'ActionCancelled' });
  });

  it('one person at a terminal; a folder that is gone is told', async () => {
    const at = access('ssh');
    const { lease } = await gateway.host('launched', at);
    const copy = await gateway.on(lease, 'working-copy', 'active', join(at.folder, 'copies/gone'));
    const lost = await gateway.run(copy.lease, copy.token, { kind: 'terminal', tty: false, command: 'true' });
    expect(await new Person(lost).over()).toMatchObject({ code: 'exit', exitCode: 125 });
    mkdirSync(join(at.folder, 'copies/gone'), { recursive: true });
    const action = await gateway.run(copy.lease, copy.token, { kind: 'terminal', tty: false, command: 'pwd; cat' });
    const first = new Person(action);
    await first.hears(realpathSync(join(at.folder, 'copies/gone')));
    expect(await new Person(action).over()).toMatchObject({ code: 'in-use' });
    first.end.finish();
    expect(await first.over()).toMatchObject({ exitCode: 0 });
  });

  it('the link to the host breaks: it is lost; the gateway is started again: it is not begun again', async () => {
    const { lease, token } = await gateway.host('launched', access('ssh'));
    const [cut, other] = [await gateway.run(lease, token, { kind: 'terminal', command: 'echo here; exec cat' }), await gateway.run(lease, token, { kind: 'forward', port: 80 })];
    const person = new Person(cut);
    await person.hears('here');
    await sshd.cutConnections();
    expect(await person.over()).toMatchObject({ code: 'lost' });
    expect(await gateway.ended(cut)).toMatchObject({ type: 'ActionLost' });
    const keeper = new Person(other, { keeps: true });
    await eventually(() => keeper.opened, SOON);
    await gateway.restart();
    expect(await keeper.over()).toMatchObject({ code: 'interrupted', message: 'The gateway was stopped.' });
    expect(await gateway.ended(other)).toMatchObject({ type: 'ActionLost', data: { error: expect.stringContaining('started again') } });
  });

  it('a grant that is another\'s by now ends it', async () => {
    const { resource, lease, token } = await gateway.host('launched', access('ssh'));
    const action = await gateway.run(lease, token, { kind: 'forward', port: 80 });
    const keeper = new Person(action, { keeps: true });
    await eventually(() => keeper.opened, SOON);
    await gateway.resource(resource, { type: 'SlotFreed', data: { slot: 0, lease } });
    expect(await keeper.over()).toMatchObject({ message: 'Its fencing token is stale.' });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionCancelled' });
  });

  it('a host that fails ends it', async () => {
    const { resource, lease, token } = await gateway.host('launched', access('ssh'));
    const action = await gateway.run(lease, token, { kind: 'terminal', command: 'echo here; exec cat' });
    const person = new Person(action);
    await person.hears('here');
    await gateway.resource(resource, { type: 'ResourceBroken', data: { error: 'the instance was terminated' } });
    expect(await person.over()).toMatchObject({ message: 'Its host failed: the instance was terminated.' });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionLost' });
  });
});
