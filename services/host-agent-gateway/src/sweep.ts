import type { ActionEvent } from '@berth/contracts';
import type { Aggregates, Runtime } from '@berth/runtime';
import type { Carrying } from './carrying.js';
import { actionDecider, type Action, type ActionCommand } from './domain/action.js';
import { CHECK, underWay } from './looks/check.js';
import type { Runner } from './runner/run.js';
import { messageOf } from './transports/errors.js';
import type { HostSpec } from './transports/transport.js';

const UUID_LENGTH = 36;

/** A host is (again) connected: folders of actions that ended meanwhile are removed, and checks that nobody waits for ended. */
export async function sweep(host: HostSpec, parts: { runtime: Runtime; actions: Aggregates<Action, ActionCommand, ActionEvent>; carrying: Carrying; runner: Runner }): Promise<void> {
  const { runtime, actions, carrying, runner } = parts;
  try {
    const over: string[] = [];
    for (const folder of await runner.list(host)) {
      if (folder.startsWith(CHECK)) {
        if (underWay(folder)) continue;
        await runner.kill(host, folder);
        over.push(folder);
        continue;
      }
      // An action may have a folder for each part of it, named after it.
      const id = folder.slice(0, UUID_LENGTH);
      const known = actions.get(id)?.state ?? (await runtime.store.load<ActionEvent>('action', id)).reduce((s: Action, r) => r.commit.events.reduce(actionDecider.evolve, s), actionDecider.initial);
      if (actionDecider.ended(known) && !carrying.has(id)) over.push(folder);
    }
    await runner.forget(host, over);
  } catch (error) {
    runtime.log.info({ host: host.id, problem: messageOf(error) }, 'not swept');
  }
}
