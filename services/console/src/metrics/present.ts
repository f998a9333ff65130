import type { Metrics, Runtime } from '@berth/runtime';
import { services } from '@berth/contracts';
import { streams } from '@berth/nats';
import type { Readiness } from '../http/tokens.js';
import { commandsOf } from '../live/consumers.js';
import type { Hub } from '../live/hub.js';
import type { Fleet } from '../views/fleet.js';
import type { Projection } from '../views/projection.js';

/** How long a look at the bus may take while somebody waits for the metrics. */
const BUS_MS = 2000;
const slotStates = ['free', 'busy', 'booting', 'held', 'quarantined', 'draining', 'unreachable', 'broken'] as const;

/** Metrics of what is so now; each is looked up when somebody asks. */
export function presentFigures(metrics: Metrics, { runtime, fleet, projection, hub, readiness }: { runtime: Pick<Runtime, 'connection'>; fleet: Fleet; projection: Projection; hub: Hub; readiness: Readiness }): void {
  metrics.gauge('berth_slots', 'Slots of hosts by blueprint and state: free, busy, booting, held, quarantined, draining, unreachable, broken.', ['blueprint', 'state'], (gauge) => {
    for (const row of fleet.capacity(null).blueprints) for (const state of slotStates) gauge.set({ blueprint: row.blueprint, state }, row[state]);
  });
  metrics.gauge('berth_breaker_open', 'Whether launches of a blueprint are stopped because they kept failing: 1 or 0.', ['blueprint'], (gauge) => {
    for (const { name, breaker } of fleet.blueprintList()) gauge.set({ blueprint: name }, breaker === null ? 0 : 1);
  });
  metrics.gauge('berth_machines', 'Enrolled machines, by whether they can be reached.', ['reachable'], (gauge) => {
    const machines = fleet.machineList();
    for (const reachable of [true, false]) gauge.set({ reachable: String(reachable) }, machines.filter((machine) => machine.reachable === reachable).length);
  });
  metrics.gauge('berth_projection_lag_commits', 'Commits that the rows in the database do not show yet.', [], (gauge) => gauge.set(Math.max(0, hub.position - projection.position)));
  metrics.gauge('berth_projection_lag_seconds', 'Age of the oldest commit that the rows in the database do not show yet, of the last thousand at least; 0 when they show all.', [], (gauge) => {
    const at = hub.firstAfter(projection.position);
    gauge.set(at === undefined ? 0 : Math.max(0, Date.now() - Date.parse(at)) / 1000);
  });
  metrics.gauge('berth_service_ready', 'Whether a service of this installation is ready: 1 or 0.', ['service'], async (gauge) => {
    for (const [service, { ready }] of Object.entries(await readiness())) gauge.set({ service }, ready ? 1 : 0);
  });

  const manager = () => runtime.connection.jetstreamManager({ checkAPI: false, timeout: BUS_MS });
  metrics.gauge('berth_dead_letters', 'Dead letters that are kept.', [], async (gauge) => gauge.set((await (await manager()).streams.info(streams.dead.name)).state.messages));
  metrics.gauge('berth_commands_waiting', 'Commands that are stored and not yet carried out.', ['service'], async (gauge) => {
    const jsm = await manager();
    await Promise.all(
      services.map(async (name) => {
        const consumer = await commandsOf(jsm, name);
        if (consumer) gauge.set({ service: name }, consumer.num_pending + consumer.num_ack_pending);
      }),
    );
  });
  metrics.gauge('berth_stream_bytes', 'What a stream of the bus holds.', ['stream'], async (gauge) => {
    const jsm = await manager();
    await Promise.all(Object.values(streams).map(async ({ name }) => gauge.set({ stream: name }, (await jsm.streams.info(name)).state.bytes)));
  });
  metrics.gauge('berth_event_position', 'Position of the last event that the console has read.', [], (gauge) => gauge.set(hub.position));
}
