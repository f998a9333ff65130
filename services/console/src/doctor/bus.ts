import { randomUUID } from 'node:crypto';
import { AckPolicy } from 'nats';
import { checkBus, failed, fine, warning, type DoctorCheck, type DoctorFinding } from '@berth/client';
import { services } from '@berth/contracts';
import { shownAddress, streams } from '@berth/nats';
import type { Runtime } from '@berth/runtime';
import type { Readiness } from '../http/tokens.js';
import { commandsOf } from '../live/consumers.js';
import { clockFinding } from './clock.js';

const LOOK_MS = 4000;

/** The bus as the console sees it, and who listens on it. */
export function busChecks({ connection, config }: Pick<Runtime, 'connection' | 'config'>, readiness: Readiness): DoctorCheck[] {
  const manager = () => connection.jetstreamManager({ checkAPI: false, timeout: LOOK_MS });
  return [
    { name: 'bus', hint: 'Start nats-server, or correct NATS_URL.', run: () => checkBus(connection, shownAddress(config.natsUrl)) },
    {
      name: 'clock of NATS',
      hint: 'Is nats-server well? Its log says more.',
      async run() {
        const jsm = await manager();
        const began = Date.now();
        // A consumer is told with the time of its making; it is gone again by itself if we are too.
        const made = await jsm.consumers.add(streams.status.name, { ack_policy: AckPolicy.None, name: `doctor-${randomUUID()}`, filter_subject: 'berth.status.none.none', inactive_threshold: 5_000_000_000 });
        const ended = Date.now();
        await jsm.consumers.delete(streams.status.name, made.name);
        return [clockFinding('clock of NATS', Date.parse(made.created), began, ended)];
      },
    },
    {
      name: 'services',
      hint: 'Is the bus well?',
      async run() {
        const jsm = await manager();
        const ready = await readiness();
        // The console itself is told of below.
        const others = (services as readonly string[]).filter((name) => name !== 'console');
        const consumers = new Map(await Promise.all(others.map(async (name) => [name, await commandsOf(jsm, name)] as const)));
        const findings = others.map((name): DoctorFinding => {
          const consumer = consumers.get(name);
          const detail = ready[name]?.ready === false ? ready[name].detail : undefined;
          if (detail !== undefined) return failed(`service ${name}`, `It can't go on: ${detail}.`, 'Its log says more; restart it.');
          if (consumer?.push_bound !== true) return failed(`service ${name}`, 'Nobody takes its commands.', `Start it: \`npm start\` for everything on one machine, or services/${name}.`);
          const waiting = consumer.num_pending + consumer.num_ack_pending;
          return waiting > 1000 ? warning(`service ${name}`, `${waiting} commands wait for it.`, 'It is slower than they come, or it stands still: its log and /metrics say more.') : fine(`service ${name}`, 'It takes commands.');
        });
        const own = ready['console'];
        return own && !own.ready ? [...findings, failed('service console', `It is not well: ${own.detail}.`, 'Its log says more.')] : [...findings, fine('service console', 'It is ready.')];
      },
    },
  ];
}
