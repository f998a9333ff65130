import { RunInstancesCommand, type Instance } from '@aws-sdk/client-ec2';
import type { LaunchFault } from '@berth/contracts';
import { ForeignAnswer, pollAfter, retryAfter } from '@berth/ec2';
import type { Launch, LaunchStep } from '../blueprint.js';
import type { AskedTokens } from './asked.js';
import { faultOfEnd } from './codes.js';
import type { Connection, Connections } from './connections.js';
import { consoleOf } from './console.js';
import { addressOf, chosenFacts, launchedFacts, progressOf, runningFacts, type Addresses, type Progress } from './facts.js';
import { hostKeyOf } from './host-keys.js';
import { imageText, newestImage } from './image.js';
import { hasEnded } from './instances.js';
import { attributesOf, choose, isRefused } from './offers.js';
import { launchRequest } from './request.js';
import type { Timing } from './timing.js';
import { troubleOf, type Trouble } from './trouble.js';

/** What steps share; nothing of it is needed to take one after a crash. */
export interface Launching {
  readonly connections: Connections;
  readonly tokens: AskedTokens;
  readonly timing: Timing;
  /** ms since 1970 */
  now(): number;
  log(line: string): void;
}

type Chosen = Extract<Progress, { at: 'chosen' }>;
type Launched = Extract<Progress, { at: 'launched' }>;

/** One step: from what is stored to what is to be stored next. */
export async function takeStep(launch: Launch, launching: Launching): Promise<LaunchStep> {
  const progress = progressOf(launch.facts);
  if (progress.at === 'launched') {
    const up = upOf(launch, progress);
    if (up !== undefined) return up;
  }
  try {
    launch.signal.throwIfAborted();
    const connection = await launching.connections.of(launch.spec);
    switch (progress.at) {
      case 'start':
        return await chooseOffer(launch, progress, connection, launching);
      case 'chosen':
        return await run(launch, progress, connection, launching);
      case 'launched':
        return await boot(launch, progress, connection, launching);
    }
  } catch (error) {
    // Nobody waits for it any more, and whoever takes the step again finds the same facts.
    if (launch.signal.aborted) return { is: 'wait', ms: launching.timing.pollTo };
    return afterTrouble(launch, progress, troubleOf(error, launch.spec), launching);
  }
}

/** The intent comes before its effect, so that a crash in between leaves the token with which to ask again. */
async function chooseOffer(launch: Launch, progress: Exclude<Progress, Launched>, { ec2 }: Connection, { tokens, now }: Launching): Promise<LaunchStep> {
  const { spec, resource, wants, refused } = launch;
  const choice = choose(spec, resource, wants, refused, now());
  if (choice.is === 'none-fits') {
    const wanted = Object.entries(wants).map(([key, want]) => `${key}: ${want}`);
    return { is: 'failed', fault: 'configuration', error: `nothing that the blueprint ${spec.name} can launch has ${wanted.join(', ')}. See the attributes in data.spec.types` };
  }
  if (choice.is === 'all-refused') {
    const soonest = choice.until.slice(0, 3).map(([name, until]) => `${name} until ${until}`);
    const more = choice.until.length > soonest.length ? `, and ${choice.until.length - soonest.length} more later` : '';
    return { is: 'failed', fault: 'capacity', error: `everything that fits was refused lately and is not asked for: ${soonest.join(', ')}${more}. See data.spec.types: list more types, zones or markets` };
  }
  const image = progress.image ?? launch.image ?? (await newestImage(ec2, spec, launch.signal));
  if (image === undefined) return { is: 'failed', fault: 'image', error: `there is no ${imageText(spec)} in ${spec.region}. See data.spec.image` };
  const facts = chosenFacts(resource, progress.tried + 1, choice.offer, image, time(now()));
  if (progress.at === 'chosen') tokens.forget(progress.token);
  tokens.made(String(facts['token']));
  return { is: 'keep', facts };
}

async function run(launch: Launch, chosen: Chosen, connection: Connection, launching: Launching): Promise<LaunchStep> {
  const { tokens, timing, now } = launching;
  // Only when nothing can have come of the token: an instance that nobody knows of would run on beside another.
  if (isRefused(chosen.offer, launch.refused, now()) && tokens.isClosed(chosen.token)) return chooseOffer(launch, chosen, connection, launching);
  if (!tokens.knows(chosen.token) && now() - chosen.since > timing.token) {
    const [instance] = await connection.instances.by('client-token', chosen.token, launch.signal);
    if (instance !== undefined) return adopted(instance, launching);
  }
  const answered = tokens.used(chosen.token, now());
  let instance: Instance | undefined;
  try {
    const request = launchRequest(launch, chosen, chosen.image, chosen.token);
    instance = (await connection.once.send(new RunInstancesCommand(request), { abortSignal: launch.signal })).Instances?.[0];
    if (instance?.InstanceId === undefined) throw new ForeignAnswer('the answer has no instance');
  } catch (error) {
    const taken = error instanceof Error && /^Idempotent(ParameterMismatch|InstanceTerminated)$/.test(error.name);
    if (taken) return await launchedBefore(error, chosen, connection, launching, launch.signal);
    const trouble = troubleOf(error, launch.spec);
    // Places and quotas are looked at only after the token, so a refusal of these says that nothing runs under it. What
    // is refused before that says nothing of an earlier call whose answer was lost.
    answered(trouble.outcome === 'unknown' ? 'maybe' : trouble.fault === 'capacity' || trouble.fault === 'quota' ? 'nothing' : 'no-more-than-before');
    throw error;
  }
  return adopted(instance, launching);
}

/** The token was used before, with other parameters (the blueprint was edited in between) or by what has ended: take that. */
async function launchedBefore({ name, message }: Error, chosen: Chosen, { instances }: Connection, launching: Launching, signal: AbortSignal): Promise<LaunchStep> {
  const [instance] = await instances.by('client-token', chosen.token, signal);
  if (instance !== undefined) return adopted(instance, launching);
  const age = launching.now() - chosen.since;
  if (age < launching.timing.unseen) return { is: 'wait', ms: pollAfter(age, launching.timing) };
  return { is: 'failed', fault: 'lost', error: `something was launched for this resource before, and EC2 does not show it any more: ${message} (${name}). Was the blueprint changed meanwhile? See data.spec` };
}

function adopted({ InstanceId, Placement }: Instance, { now }: Launching): LaunchStep {
  if (InstanceId === undefined) throw new ForeignAnswer('an instance has no id');
  return { is: 'keep', facts: launchedFacts(InstanceId, Placement?.AvailabilityZone, time(now())) };
}

/** From the launch until there is an address and a host key. */
async function boot(launch: Launch, launched: Launched, connection: Connection, launching: Launching): Promise<LaunchStep> {
  const { spec } = launch;
  const { now, timing, tokens } = launching;
  // Only now is the instance stored: until then the token is all that there is to find it by.
  tokens.forget(launched.token);
  const age = now() - launched.launched;
  const [instance] = await connection.instances.by('instance-id', launched.instance, launch.signal);
  if (instance === undefined) {
    if (age < timing.unseen) return { is: 'wait', ms: pollAfter(age, timing) };
    return { is: 'failed', fault: 'lost', error: `EC2 gave the instance ${launched.instance} and does not show it ${Math.round(age / 1000)} s later` };
  }
  const ended = endOf(instance);
  if (ended !== undefined) return { is: 'failed', ...ended };

  const addresses = addressesOf(instance);
  if (instance.State?.Name !== 'running' || addressOf(spec.address, addresses) === undefined) {
    if (age <= spec.timeouts.boot) return { is: 'wait', ms: pollAfter(age, timing) };
    const lacks = instance.State?.Name === 'running' ? `it runs and has no ${spec.address} address. See data.spec.address, and whether its subnet gives such` : `it is still ${instance.State?.Name ?? 'in no state'}. See data.spec.timeouts.boot`;
    return { is: 'failed', fault: 'timeout', error: `the instance ${launched.instance} was not up within ${spec.timeouts.boot / 1000} s: ${lacks}` };
  }
  if (launched.running === undefined || addressOf(spec.address, launched.running) === undefined) return { is: 'keep', facts: runningFacts(addresses, time(now())) };

  const hostKey = hostKeyOf((await consoleOf(connection.ec2, launched.instance, launch.signal))?.toString('latin1') ?? '');
  if (hostKey !== undefined) return { is: 'keep', facts: { hostKey } };
  const waited = now() - launched.running.since;
  if (waited <= spec.timeouts.reachable) return { is: 'wait', ms: pollAfter(waited, timing) };
  return { is: 'failed', fault: 'timeout', error: `the instance ${launched.instance} runs and shows no SSH host key on its console after ${spec.timeouts.reachable / 1000} s. See data.spec.hostKey: give the key when the image has a fixed one, or let cloud-init print it` };
}

/** From the facts alone: what is stored is enough to get in. */
function upOf({ spec }: Launch, launched: Launched): LaunchStep | undefined {
  if (launched.running === undefined) return undefined;
  const address = addressOf(spec.address, launched.running);
  const hostKey = spec.hostKey === 'console' ? launched.running.hostKey : spec.hostKey;
  if (address === undefined || hostKey === undefined) return undefined;
  const { port, user, credential, platform, folder } = spec;
  return { is: 'up', access: { transport: 'ssh', address, port, user, credential, hostKey, platform, folder }, attributes: { ...attributesOf(spec, launched), instance: launched.instance } };
}

function afterTrouble({ facts, resource, spec }: Launch, progress: Progress, trouble: Trouble, { now, timing, log }: Launching): LaunchStep {
  const { fault, sentence } = trouble;
  if (trouble.then === 'never') return { is: 'failed', fault, error: sentence };
  if (trouble.then === 'another' && progress.at === 'chosen') return { is: 'refused', offer: progress.offer, fault, error: `${progress.offer}: ${sentence}`, until: time(now() + trouble.forMs) };
  log(`the launch of ${resource} waits: ${sentence}`);
  if (progress.at === 'launched') {
    // What was launched goes on while nobody can look; only its time runs out.
    const { since, most } = progress.running === undefined ? { since: progress.launched, most: spec.timeouts.boot } : { since: progress.running.since, most: spec.timeouts.reachable };
    const age = now() - since;
    return age > most ? { is: 'failed', fault, error: sentence } : { is: 'wait', ms: retryAfter(age, timing) };
  }
  const since = Date.parse(typeof facts['troubleSince'] === 'string' ? facts['troubleSince'] : '');
  if (Number.isNaN(since)) return { is: 'keep', facts: { troubleSince: time(now()) } };
  const age = now() - since;
  return age > (fault === 'throttled' ? timing.throttled : timing.outage) ? { is: 'failed', fault, error: sentence } : { is: 'wait', ms: retryAfter(age, timing) };
}

/** Why an instance can't be used any more; undefined while it can, or will be. */
export function endOf(instance: Instance): { fault: LaunchFault; error: string } | undefined {
  const { InstanceId, State, StateReason } = instance;
  // A stopped one keeps its disks, but everything that ran on it has ended, and nobody starts it again.
  if (!hasEnded(instance) && State?.Name !== 'stopping' && State?.Name !== 'stopped') return undefined;
  const { Code = '', Message = 'EC2 does not say why' } = StateReason ?? {};
  const why = Code === '' || Message.includes(Code) ? Message : `${Message} (${Code})`;
  return { fault: faultOfEnd(Code), error: `the instance ${InstanceId ?? ''} is ${State?.Name ?? ''}: ${why}` };
}

function addressesOf({ PrivateIpAddress, PublicIpAddress, PublicDnsName, PrivateDnsName }: Instance): Addresses {
  // What an instance does not have is an empty text in some answers and absent in others.
  const dnsName = PublicDnsName || PrivateDnsName;
  return { ...(PrivateIpAddress && { privateAddress: PrivateIpAddress }), ...(PublicIpAddress && { publicAddress: PublicIpAddress }), ...(dnsName && { dnsName }) };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
