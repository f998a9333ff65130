import type { Objects } from '@berth/artifacts';
import { derivedId, type AnyRecorded, type ImageTarget } from '@berth/contracts';
import type { Follower, Runtime } from '@berth/runtime';
import { ACTOR } from '../cause.js';
import { isLive, type Image, type Push, type Target, type Version } from '../domain/image.js';
import type { Catalogue } from '../catalogue.js';
import type { Images } from '../images.js';
import type { Provided, Providers, RemoveStep } from '../providers/provider.js';
import { callOf, stored } from './call.js';
import { Driven } from './driven.js';

/** Brings versions to accounts, and takes away what is to be removed: one step after the other, each decided by what is stored. */
export class Moving {
  private readonly driven: Driven;
  private live = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly images: Images,
    private readonly catalogue: Catalogue,
    private readonly providers: Providers,
    private readonly objects: Objects,
  ) {
    this.driven = new Driven(runtime);
  }

  stop(): void {
    this.driven.stop();
  }

  caughtUp(): void {
    this.live = true;
    for (const [name, { state }] of this.images.images.entries()) for (const version of state.versions.values()) this.look(name, version);
  }

  react(recorded: AnyRecorded): void {
    if (!this.live || recorded.kind !== 'image') return;
    const image = this.images.image(recorded.id);
    const versions = new Set(recorded.commit.events.flatMap(({ type, data }) => (type === 'PushStarted' || type === 'DeletionStarted' || type === 'DeletionFailed' || type === 'Deleted' ? [data.version] : [])));
    for (const id of versions) {
      const version = image.versions.get(id);
      if (version) this.look(recorded.id, version);
    }
  }

  private look(image: string, version: Version): void {
    for (const [account, push] of version.pushes) {
      const key = `${version.id} ${account}`;
      if (isLive(push.status)) this.driven.drive(key, () => this.push(image, version.id, account), () => this.again(image, version.id, account));
      else if (push.status === 'DELETING') this.driven.drive(key, () => this.removePush(image, version.id, account), () => this.again(image, version.id, account));
    }
    // What was pushed of a target may be what its provider made of it: that goes first.
    const leaving = [...version.pushes.values()].some(({ status }) => status === 'DELETING');
    if (!leaving) for (const [target, built] of version.targets) if (built.status === 'DELETING') this.driven.drive(`${version.id} ${target}`, () => this.removeTarget(image, version.id, target), () => undefined);
  }

  private again(image: string, id: string, account: string): void {
    const { push } = this.find(image, id, account) ?? {};
    if (push && (isLive(push.status) || push.status === 'DELETING')) this.look(image, this.images.image(image).versions.get(id)!);
  }

  private find(image: string, id: string, account: string): { state: Image; version: Version; push: Push } | undefined {
    const state = this.images.image(image);
    const version = state.versions.get(id);
    const push = version?.pushes.get(account);
    return version && push ? { state, version, push } : undefined;
  }

  // --- to an account ---

  private async push(image: string, id: string, account: string): Promise<void> {
    for (;;) {
      const found = this.find(image, id, account);
      if (this.driven.over || !found || !isLive(found.push.status)) return;
      const { version, push, state } = found;
      const of = { version: id, account, attempt: push.attempt };
      const placed = this.catalogue.placed(account);
      if (!placed) return this.images.store(image, { type: 'FailPush', ...of, error: `account ${account} was removed` });
      const made = version.targets.get(push.target)?.made;
      const from = this.providedOf(made?.provided);
      const step = await this.providers[placed.provider.kind].push({
        ...callOf(image, version, placed, push.attempt, push.facts, this.objects, this.driven.signal),
        os: this.images.templateOf(image, version.revision)?.os ?? state.saved?.template.os,
        ...(made?.object && { object: made.object }), ...(made?.boot && { boot: made.boot }), ...(from && { from }),
      });
      if ((step.is === 'keep' || step.is === 'wait') && (step.percent !== undefined || step.activity !== undefined)) {
        await this.images.store(image, { type: 'PushProgress', ...of, percent: step.percent ?? push.percent, activity: step.activity ?? push.activity });
      }
      switch (step.is) {
        case 'keep':
          await this.images.store(image, { type: 'KeepPushFacts', ...of, facts: stored(step.facts) });
          break;
        case 'wait':
          await this.driven.pause(step.ms);
          break;
        case 'done':
          return this.images.store(image, { type: 'CompletePush', ...of, id: step.id });
        case 'failed':
          return this.images.store(image, { type: 'FailPush', ...of, error: step.error });
      }
    }
  }

  private providedOf(made: { account: string; id: string } | undefined): Provided | undefined {
    const placed = made && this.catalogue.placed(made.account);
    return placed && { ...placed, id: made.id };
  }

  // --- away ---

  private async removePush(image: string, id: string, account: string): Promise<void> {
    for (;;) {
      const found = this.find(image, id, account);
      if (this.driven.over || found?.push.status !== 'DELETING') return;
      const { version, push } = found;
      const placed = this.catalogue.placed(account);
      const what = { account };
      // A push to where it was made is the very image that was built: it goes with that.
      const made = version.targets.get(push.target)?.made?.provided;
      if (made && made.id === push.id && made.account === account) return this.images.store(image, { type: 'EndDeletion', version: id, what, outcome: { manual: [] } });
      if (!placed) return this.images.store(image, { type: 'EndDeletion', version: id, what, outcome: { manual: push.id === undefined ? [] : [`${push.id} of account ${account}, which is not there any more`] } });
      const step = await this.providers[placed.provider.kind].remove({ ...callOf(image, version, placed, push.attempt, push.facts, this.objects, this.driven.signal), id: push.id ?? '' });
      if (step.is === 'keep') await this.images.store(image, { type: 'KeepPushFacts', version: id, account, attempt: push.attempt, facts: stored(step.facts) });
      else if (await this.ended(image, id, what, step)) return;
    }
  }

  private async ended(image: string, version: string, what: { account: string } | { target: ImageTarget }, step: Exclude<RemoveStep, { is: 'keep' }>): Promise<boolean> {
    if (step.is === 'wait') {
      await this.driven.pause(step.ms);
      return false;
    }
    await this.images.store(image, { type: 'EndDeletion', version, what, outcome: step.is === 'gone' ? { manual: step.manual } : { error: step.error } });
    return true;
  }

  private async removeTarget(image: string, id: string, target: ImageTarget): Promise<void> {
    const of = (): { version: Version; built: Target } | undefined => {
      const version = this.images.image(image).versions.get(id);
      const built = version?.targets.get(target);
      return version && built?.status === 'DELETING' ? { version, built } : undefined;
    };
    const first = of();
    if (!first) return;
    const { built } = first;
    await this.releaseFiles(built);
    const placed = built.made?.provided && this.catalogue.placed(built.made.provided.account);
    if (!built.made?.provided || !placed) {
      const manual = built.made?.provided ? [`${built.made.provided.id} of account ${built.made.provided.account}, which is not there any more`] : [];
      return this.images.store(image, { type: 'EndDeletion', version: id, what: { target }, outcome: { manual } });
    }
    for (let now = of(); now && !this.driven.over; now = of()) {
      const step = await this.providers[placed.provider.kind].remove({ ...callOf(image, now.version, placed, built.attempt, now.built.facts, this.objects, this.driven.signal), id: built.made.provided.id });
      if (step.is === 'keep') await this.images.store(image, { type: 'KeepFacts', version: id, target, attempt: built.attempt, facts: stored(step.facts) });
      else if (await this.ended(image, id, { target }, step)) return;
    }
  }

  private async releaseFiles({ build, made }: Target): Promise<void> {
    if (build === undefined) return;
    const names = [made?.object?.name, made?.sbom?.name].filter((name) => name !== undefined);
    await Promise.all(names.map((name) => this.runtime.bus.command('build-orchestrator', 'ReleaseArtifact', { build, name, reason: 'its image was removed' }, { id: derivedId(build, `release ${name}`), actor: ACTOR, after: this.follower().position })));
  }
}
