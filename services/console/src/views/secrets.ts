import type { AnyRecorded } from '@berth/contracts';
import type { SecretView } from '@berth/client';
import { byName } from './resources.js';

/** The secrets there are: their names, and who set them when. What they are, the console never knows. */
export class Secrets {
  private readonly known = new Map<string, SecretView>();

  apply({ commit }: Extract<AnyRecorded, { kind: 'secret' }>): void {
    for (const { type, data } of commit.events) {
      if (type === 'SecretSet') this.known.set(data.name, { name: data.name, set: commit.at, by: commit.actor });
      else if (type === 'SecretRemoved') this.known.delete(data.name);
    }
  }

  list(): SecretView[] {
    return [...this.known.values()].sort(byName);
  }
}
