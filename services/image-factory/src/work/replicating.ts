import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ChangedError, CorruptError, verified, type Objects } from '@berth/artifacts';
import { derivedId, type AnyRecorded, type ImageEvent } from '@berth/contracts';
import { tellUntilStored, type Cause, type Follower, type Runtime } from '@berth/runtime';
import { own } from '../cause.js';
import { sentenceOf, type Copies } from '../copies.js';
import { dueParts, partsOf, type Kept, type Looked, type Part, type PolicyCommand, type Replica } from '../domain/replication.js';
import { attributesFile, attributesPath, objectsOf, possibleObjects, versionOf, type WarehouseObject } from '../domain/warehouse.js';
import type { Images } from '../images.js';
import { one, type Replications, type Saved } from '../replications.js';
import { Lanes } from './lanes.js';

/** So many objects of a policy are copied side by side; others wait, by their names alone. */
const PARALLEL = 2;
/** When the service stops, so long is waited for what is being put away. */
const STOP_MS = 2000;
/** After a check that broke off. */
const CHECK_AGAIN_MS = 1000;

/** What says something new of an object: of its body, of its attributes, or that it is gone. */
const telling = ['TargetStarted', 'TargetCompleted', 'DeletionStarted', 'DeletionFailed', 'Deleted', 'LabelsSet', 'AttributesSet', 'VersionMarked', 'VersionRevoked', 'RevocationDue', 'VersionRestored'] as const satisfies readonly ImageEvent['type'][];
type Telling = Extract<ImageEvent, { type: (typeof telling)[number] }>;
const isTelling = (event: ImageEvent): event is Telling => telling.some((type) => type === event.type);

/** An object as it is now, under one policy. */
interface Present {
  policy: Saved;
  object: WarehouseObject;
  now: Kept;
  file: Buffer;
  replica: Replica | undefined;
  due: Part[];
}

/** Keeps objects a second time, as policies say: what is due follows from the present state, whatever has happened before. */
export class Replicating {
  /** what is under way and what waits, by policy */
  private readonly desks = new Map<string, Desk>();
  private live = false;
  private stopped = false;

  constructor(
    private readonly runtime: Pick<Runtime, 'log' | 'connection'>,
    private readonly follower: () => Follower,
    private readonly images: Images,
    private readonly replications: Replications,
    private readonly artifacts: Objects,
    private readonly copies: Copies,
    private readonly retryMs?: (tries: number) => number,
  ) {}

  caughtUp(): void {
    this.live = true;
    for (const [name, policy] of this.replications.all()) this.begin(name, policy);
  }

  react(recorded: AnyRecorded): void {
    if (!this.live) return;
    if (recorded.kind === 'image') {
      const versions = new Set(recorded.commit.events.filter(isTelling).map(({ data }) => data.version));
      if (versions.size > 0) for (const [name] of this.replications.all()) for (const version of versions) this.look(name, version);
    } else if (recorded.kind === 'replication') {
      for (const event of recorded.commit.events) this.reactTo(recorded.id, event.type);
    }
  }

  private reactTo(name: string, type: string): void {
    const policy = this.replications.saved(name);
    if (!policy) this.end(name);
    else if (type === 'ReplicationPolicySaved') this.begin(name, policy);
    else if (type === 'ReplicationCheckStarted') this.check(name, this.desk(name, policy));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    const ended = Promise.all([...this.desks.values()].map((desk) => desk.stop()));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ended, new Promise((resolve) => (timer = setTimeout(resolve, STOP_MS)))]);
    clearTimeout(timer);
  }

  // --- what is due ---

  /** A policy as it is from now on: its pauses are over, and what goes elsewhere begins anew. */
  private begin(name: string, policy: Saved): void {
    const known = this.desks.get(name);
    if (known && known.place !== policy.place) this.end(name);
    else known?.lanes.again();
    const desk = this.desk(name, policy);
    for (const [, { state }] of this.images.images.entries()) for (const version of state.versions.keys()) this.look(name, version);
    if (policy.checking) this.check(name, desk);
  }

  private check(name: string, desk: Desk): void {
    desk.check(() => this.checked(name, desk));
  }

  private end(name: string): void {
    const desk = this.desks.get(name);
    this.desks.delete(name);
    void desk?.stop();
  }

  private desk(name: string, { place }: Saved): Desk {
    const known = this.desks.get(name);
    if (known) return known;
    const fault = (object: string, error: unknown): void => this.runtime.log.error({ error, policy: name, object }, 'a copy could not be dealt with, tried again');
    const desk = new Desk(place, new Lanes(PARALLEL, (object, signal) => this.bring(name, object, signal), fault, this.retryMs));
    this.desks.set(name, desk);
    return desk;
  }

  private look(name: string, version: string): void {
    const policy = this.replications.saved(name);
    const desk = this.desks.get(name);
    if (!policy || !desk || this.stopped) return;
    const present = new Map(this.presentOf(name, policy, version).map((one) => [one.object.id, one]));
    for (const object of possibleObjects(version)) {
      const found = present.get(object);
      if (found && (found.due.length > 0 || found.replica?.error !== undefined)) desk.lanes.add(object);
      else if (!found && policy.replicas.has(object)) tellUntilStored(this.runtime, this.replications.policies, name, { type: 'Forget', object }, this.causeOf(name, `forget ${object}`));
    }
  }

  /** The objects of a version that a policy covers. */
  private presentOf(name: string, policy: Saved, version: string): Present[] {
    const owner = this.images.ownerOf(version);
    const image = owner === undefined ? undefined : this.images.image(owner);
    const state = image?.versions.get(version);
    if (owner === undefined || !image || !state) return [];
    const covers = this.replications.covers(name, policy);
    return objectsOf(owner, state, this.images.templateOf(owner, state.revision)?.os ?? {})
      .filter(({ attributes }) => covers(attributes))
      .map((object) => {
        const file = Buffer.from(attributesFile(object.attributes));
        const now = { sha256: object.file.sha256, attributes: createHash('sha256').update(file).digest('hex'), bytes: object.file.bytes };
        const replica = policy.replicas.get(object.id);
        return { policy, object, now, file, replica, due: dueParts(policy.spec, replica, now) };
      });
  }

  private presentOne(name: string, object: string): Present | undefined {
    const policy = this.replications.saved(name);
    return policy && this.presentOf(name, policy, versionOf(object)).find(({ object: { id } }) => id === object);
  }

  // --- copying ---

  /** Brings a copy up to what its object is now. @returns whether it must be tried again */
  private async bring(name: string, object: string, signal: AbortSignal): Promise<boolean> {
    const present = this.presentOne(name, object);
    if (!present) {
      this.look(name, versionOf(object)); // gone, and known still: a failure of it may have been stored after that
      return false;
    }
    const { due, replica, policy } = present;
    if (due.length === 0 && replica?.error === undefined) return false;
    try {
      const store = await this.copies.of(policy.spec.to);
      // What could not be looked at is looked at: it may be as it was.
      const parts = due.length > 0 ? due : await this.unsound(store, present, signal);
      await this.copy(store, present, parts, signal);
      await this.replicated(name, present, parts);
    } catch (error) {
      if (signal.aborted) return false;
      return this.failed(name, present, error);
    }
    // What has changed meanwhile is due now.
    this.look(name, versionOf(object));
    return false;
  }

  private async copy(store: Objects, { object: { path, file }, file: attributes }: Present, parts: readonly Part[], signal: AbortSignal): Promise<void> {
    for (const part of parts) {
      signal.throwIfAborted();
      if (part === 'attributes') await store.put(attributesPath(path), one(attributes), { signal });
      else await store.put(path, await this.body(file, signal), { signal, maxBytes: file.bytes });
    }
  }

  /** The bytes that were built: the last of them come only once all of them are known to be right. */
  private async body(file: WarehouseObject['file'], signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const source = await this.artifacts.open(file.object);
    if (!source) throw new Error(`the artifact ${file.object} is not there any more`);
    return verified(file.object, file, source.read(undefined, signal));
  }

  private async replicated(name: string, { object, now, replica, policy }: Present, parts: readonly Part[]): Promise<void> {
    // What is not copied under this policy stays known as it was: it may be asked for later.
    const kept: Kept = {
      sha256: parts.includes('body') ? now.sha256 : (replica?.kept?.sha256 ?? ''),
      attributes: parts.includes('attributes') ? now.attributes : (replica?.kept?.attributes ?? ''),
      bytes: now.bytes,
    };
    await this.tell(name, { type: 'Replicated', place: policy.place, object: object.id, kept });
  }

  private failed(name: string, present: Present, error: unknown): true {
    const failure = this.failure(present, error);
    tellUntilStored(this.runtime, this.replications.policies, name, failure, this.causeOf(name, JSON.stringify(failure)));
    return true;
  }

  private failure({ object, policy }: Present, error: unknown): PolicyCommand {
    const problem = sentenceOf(error);
    this.runtime.log.warn({ problem, policy: policy.spec.name, object: object.id }, 'an object could not be copied, tried again');
    return { type: 'Failed', place: policy.place, object: object.id, error: problem };
  }

  // --- checking ---

  /** Looks at every copy, one after the other. One that breaks off begins anew: nothing of it is kept before its end. */
  private async checked(name: string, { signal }: Desk): Promise<void> {
    while (!signal.aborted) {
      try {
        return await this.checkAll(name);
      } catch (error) {
        if (signal.aborted) return;
        this.runtime.log.warn({ problem: sentenceOf(error), policy: name }, 'a check broke off, and begins anew');
        await pause(CHECK_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined); // stopped: so says the signal
      }
    }
  }

  private async checkAll(name: string): Promise<void> {
    const policy = this.replications.saved(name);
    const desk = this.desks.get(name);
    if (!policy?.checking || !desk) return;
    const looked: Looked = { sound: 0, repaired: 0, failed: 0 };
    for (const [object, { kept }] of policy.replicas) {
      if (desk.signal.aborted || this.stopped) return;
      // What is being copied is as good as looked at: the copy is compared as it is made.
      await desk.lanes.over(object);
      const how = kept ? await this.checkOne(name, object, desk) : undefined;
      if (how) looked[how]++;
    }
    if (!desk.signal.aborted) await this.tell(name, { type: 'EndCheck', place: policy.place, looked });
  }

  private async checkOne(name: string, object: string, desk: Desk): Promise<keyof Looked | undefined> {
    const present = this.presentOne(name, object);
    // What is gone is forgotten, and what is due is copied, whether it is looked at or not.
    if (!present?.replica?.kept) return undefined;
    try {
      const store = await this.copies.of(present.policy.spec.to);
      const unsound = await this.unsound(store, present, desk.signal);
      if (unsound.length === 0 && present.due.length === 0 && present.replica.error === undefined) return 'sound';
      const parts = partsOf(present.policy.spec).filter((part) => unsound.includes(part) || present.due.includes(part));
      await this.copy(store, present, parts, desk.signal);
      await this.replicated(name, present, parts);
      return unsound.length === 0 ? 'sound' : 'repaired';
    } catch (error) {
      if (desk.signal.aborted) return undefined;
      // Looked at again once it is known to have failed: until then it seems to be sound.
      await this.tell(name, this.failure(present, error));
      desk.lanes.add(object);
      return 'failed';
    }
  }

  /** Parts of a copy that are not there, or are not what was put there: every byte is read back. */
  private async unsound(store: Objects, { policy, object: { path }, replica }: Present, signal: AbortSignal): Promise<Part[]> {
    const bad: Part[] = [];
    for (const part of partsOf(policy.spec)) {
      const [name, wanted] = part === 'body' ? [path, replica?.kept?.sha256] : [attributesPath(path), replica?.kept?.attributes];
      if ((await hashOf(store, name, signal)) !== wanted) bad.push(part);
    }
    return bad;
  }

  private async tell(name: string, command: PolicyCommand): Promise<void> {
    const answer = await this.replications.policies.handle(name, command, this.causeOf(name, JSON.stringify(command)));
    if (answer.accepted && answer.position) await this.follower().reached(answer.position);
  }

  /** The same may become true once more later on. */
  private causeOf(name: string, role: string): Cause {
    return own(derivedId(name, `${role} ${this.replications.policies.get(name)?.revision ?? 0}`));
  }
}

/** SHA-256 of what is stored under a name; undefined: nothing is, or what is there contradicts itself. */
async function hashOf(store: Objects, name: string, signal: AbortSignal): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    const opened = await store.open(name);
    if (!opened) return undefined;
    for await (const piece of opened.read(undefined, signal)) hash.update(piece);
    return hash.digest('hex');
  } catch (error) {
    // Changed: somebody else has just put something there.
    if (error instanceof CorruptError || error instanceof ChangedError) return undefined;
    throw error;
  }
}

/** All that is under way for one policy. */
class Desk {
  private readonly stopping = new AbortController();
  private checking: Promise<void> | undefined;
  private asked = false;

  constructor(
    readonly place: number,
    readonly lanes: Lanes,
  ) {}

  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** One at a time; one that is asked for meanwhile follows. */
  check(work: () => Promise<void>): void {
    this.asked = true;
    this.checking ??= this.checks(work);
  }

  private async checks(work: () => Promise<void>): Promise<void> {
    while (this.asked && !this.signal.aborted) {
      this.asked = false;
      await work();
    }
    this.checking = undefined;
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('nobody wants these copies any more'));
    await Promise.all([this.lanes.stop(), this.checking]);
  }
}
