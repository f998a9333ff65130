import type { AnyRecorded } from '@berth/contracts';
import type { HistoryEntry, LiveEvent } from '@berth/client';
import { accessWords, secretWords, tokenWords, webhookWords } from './access';
import { actionWords } from './action';
import { buildWords } from './build';
import { blueprintWords, fleetWords, machineWords, planWords } from './fleet';
import { hardwareGroupWords, hardwareWords, jobWords } from './job';
import { catalogWords, imageWords, replicationWords } from './image';
import { leaseWords } from './lease';
import { resourceWords } from './resource';
import { shortened } from './text';

/** An event of any kind. */
export type AnyEvent = AnyRecorded['commit']['events'][number];
/** What events of a kind say, as a sentence. One that is missing does not compile. */
export type Words<E extends { type: string; data: unknown }> = { [T in E['type']]: (data: Extract<E, { type: T }>['data']) => string };

type Kinds = { [K in LiveEvent['kind']]: Words<Extract<AnyRecorded, { kind: K }>['commit']['events'][number]> };
const words: Kinds = {
  machine: machineWords, blueprint: blueprintWords, fleet: fleetWords, plan: planWords,
  lease: leaseWords, resource: resourceWords, action: actionWords, build: buildWords, token: tokenWords, access: accessWords, webhook: webhookWords, secret: secretWords,
  hardware: hardwareWords, 'hardware-group': hardwareGroupWords, job: jobWords,
  catalog: catalogWords, image: imageWords, replication: replicationWords,
};

/** What happened, in words. An event of a newer console than this page is told by its name. */
export function sentence({ kind, type, data }: Pick<HistoryEntry, 'kind' | 'type' | 'data'>): string {
  const say = (words[kind] as Readonly<Record<string, (data: never) => string>>)[type];
  // Reasons come with and without a full stop.
  return say ? shortened(say(data as never)).replace(/([.?!])\.$/, '$1') : type;
}
