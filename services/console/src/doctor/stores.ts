import { randomUUID } from 'node:crypto';
import { openArtifacts } from '@berth/artifacts';
import { failed, fine, warning, type DoctorCheck } from '@berth/client';
import { streams } from '@berth/nats';
import type { Runtime } from '@berth/runtime';
import type { Fleet } from '../views/fleet.js';

/** The store of artifacts, and what waits for somebody to look at it. */
export function storeChecks({ connection, config }: Pick<Runtime, 'connection' | 'config'>, fleet: Fleet): DoctorCheck[] {
  const artifacts = openArtifacts(config.artifacts, connection);
  const where = config.artifacts?.kind ?? 'jetstream';
  return [
    {
      name: 'artifacts',
      hint: `Put the store right that BERTH_ARTIFACTS names (${where}): is there room, and may the services write there?`,
      async run() {
        const name = `doctor/${randomUUID()}`;
        const text = `looked at ${new Date().toISOString()}`;
        await artifacts.put(name, (async function* () {
          yield await Promise.resolve(Buffer.from(text));
        })());
        const pieces: Uint8Array[] = [];
        try {
          for await (const piece of (await artifacts.open(name))!.read()) pieces.push(piece);
        } finally {
          await artifacts.remove(name);
        }
        return [Buffer.concat(pieces).toString() === text ? fine('artifacts', `What is put into the store (${where}) can be read again.`) : failed('artifacts', `The store (${where}) gives back other bytes than were put into it.`, 'Something changes what is in it: keep artifacts elsewhere (BERTH_ARTIFACTS).')];
      },
    },
    {
      name: 'dead letters',
      hint: 'Is the bus well?',
      async run() {
        const manager = await connection.jetstreamManager({ checkAPI: false, timeout: 4000 });
        const { messages } = (await manager.streams.info(streams.dead.name)).state;
        return [messages === 0 ? fine('dead letters', 'There are none.') : warning('dead letters', `${messages} ${messages === 1 ? 'command' : 'commands'} could not be carried out.`, 'Look at them with `berth dead-letter list`, then retry or drop each.')];
      },
    },
    {
      name: 'breakers',
      hint: 'The log of the console says more.',
      run() {
        const open = fleet.blueprintList().filter(({ breaker }) => breaker !== null);
        if (open.length === 0) return [fine('breakers', 'None is open.')];
        return open.map(({ name, breaker }) => warning('breakers', `Blueprint ${name} launches nothing until ${breaker!.until}: ${breaker!.reason}.`, `Put its provider right; \`berth blueprint show ${name}\` says more.`));
      },
    },
  ];
}
