import { TerminateInstancesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { pollAfter, retryAfter } from '@berth/ec2';
import type { Launch, Launcher } from '../blueprint.js';
import { progressOf, type Progress } from './facts.js';
import { hasEnded, type Instances } from './instances.js';
import type { Launching } from './launch.js';
import { troubleOf } from './trouble.js';

type End = Awaited<ReturnType<Launcher['destroy']>>;

/** So often nothing is found, one after the other, before a launch whose outcome is unknown counts as not done. */
const CLEAN_LOOKS = 2;

/** Ends launches. It remembers how often it has found nothing; after a crash that is counted again. */
export class Ending {
  private readonly cleanLooks = new Map<string, number>();

  constructor(private readonly launching: Launching) {}

  async end(launch: Omit<Launch, 'wants' | 'refused' | 'image'>): Promise<End> {
    const { tokens, connections, timing } = this.launching;
    const progress = progressOf(launch.facts);
    // Nothing was asked for, or what was asked for was refused: no need to ask, which matters when nobody answers.
    if (progress.at === 'start' || (progress.at === 'chosen' && tokens.isClosed(progress.token))) return this.gone(launch.resource, progress);
    try {
      launch.signal.throwIfAborted();
      const { ec2, instances } = await connections.of(launch.spec);
      return await this.look(launch.resource, progress, ec2, instances, launch.signal);
    } catch (error) {
      if (launch.signal.aborted) return { is: 'wait', ms: timing.pollTo };
      const trouble = troubleOf(error, launch.spec);
      // Who has to change something first does not do it within seconds.
      return { is: 'wait', ms: trouble.then === 'again' ? retryAfter(timing.pollTo, timing) : 3 * timing.pollTo, error: trouble.sentence };
    }
  }

  private async look(resource: string, progress: Exclude<Progress, { at: 'start' }>, ec2: EC2Client, instances: Instances, signal: AbortSignal): Promise<End> {
    const { timing, now } = this.launching;
    const lists = await Promise.all([
      instances.by('tag:berth:resource', resource, signal),
      progress.at === 'launched' ? instances.by('instance-id', progress.instance, signal) : instances.by('client-token', progress.token, signal),
    ]);
    const found = new Map(lists.flat().flatMap((instance) => (instance.InstanceId === undefined ? [] : [[instance.InstanceId, instance] as const])));
    const left = [...found.values()].filter((instance) => !hasEnded(instance)).flatMap(({ InstanceId }) => InstanceId ?? []);
    // Young ones are not always shown, but ending them by their id may work already.
    const unseen = progress.at === 'launched' && !found.has(progress.instance) && now() - progress.launched < timing.forgotten;
    if (unseen) left.push(progress.instance);

    let ended = true;
    for (const id of left) ended = (await terminate(ec2, id, signal)) && ended;
    if (!ended) return { is: 'wait', ms: unseen ? pollAfter(now() - progress.launched, timing) : timing.pollFrom };
    if (found.size > 0 || progress.at === 'launched') return this.gone(resource, progress);
    return this.nothing(resource, progress);
  }

  /** A token was used or may have been, and nothing carries it: EC2 may not show it yet. */
  private nothing(resource: string, progress: Extract<Progress, { at: 'chosen' }>): End {
    const { tokens, timing, now } = this.launching;
    const age = now() - Math.max(progress.since, tokens.lastUse(progress.token));
    if (age < timing.quiet) return { is: 'wait', ms: Math.min(timing.pollTo, timing.quiet - age) };
    const looks = (this.cleanLooks.get(resource) ?? 0) + 1;
    if (looks >= CLEAN_LOOKS) return this.gone(resource, progress);
    this.cleanLooks.set(resource, looks);
    return { is: 'wait', ms: 3 * timing.pollFrom };
  }

  private gone(resource: string, progress: Progress): End {
    this.cleanLooks.delete(resource);
    if (progress.at !== 'start') this.launching.tokens.forget(progress.token);
    return { is: 'gone' };
  }
}

/**
 * Ends one instance; calling it for what has ended already changes nothing. What shuts down counts as ended: it can't
 * be used and is not billed any more ("Amazon EC2 instance state changes", User Guide).
 * @returns false when EC2 does not know it (yet), or has not begun
 */
export async function terminate(ec2: EC2Client, id: string, signal?: AbortSignal): Promise<boolean> {
  try {
    const { TerminatingInstances = [] } = await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }), signal === undefined ? {} : { abortSignal: signal });
    const state = TerminatingInstances.find(({ InstanceId }) => InstanceId === id)?.CurrentState;
    return state !== undefined && hasEnded({ State: state });
  } catch (error) {
    if (error instanceof Error && error.name === 'InvalidInstanceID.NotFound') return false;
    throw error;
  }
}
