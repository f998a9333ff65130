import { derivedId, type AssignedBy, type ImageEvent, type Refusal } from '@berth/contracts';
import { isUsable, LATEST, type Channel, type Image, type Version } from './image.js';
import { isRefusal, refuse, staying, unknownChannel, unknownImage } from './refusals.js';

type Decision = readonly ImageEvent[] | Refusal;

/** The build that tests a version for a channel: another one each time, also for a channel of a name that was there before. */
const testOf = (image: Image, channel: string, version: string): string => derivedId(version, `test for ${channel} ${image.tests + 1}`);

const assigned = (name: string, channel: Channel, version: string | null, by: AssignedBy, reason?: string): ImageEvent => ({ type: 'ChannelAssigned', data: { channel: name, version, previous: channel.version, by, ...(reason !== undefined && { reason }) } });
/** Nothing is known of a version whose test was ended by something else. */
const cancelled = (name: string, { version, build }: NonNullable<Channel['testing']>, error: string): ImageEvent => ({ type: 'TestEnded', data: { channel: name, version, build, passed: false, cancelled: true, error } });

/** Points a channel at a version: at once, or once its test has passed. Only one version is tested at a time: the newest that is to come. */
function point(image: Image, name: string, channel: Channel, version: Version, by: AssignedBy, reason?: string): readonly ImageEvent[] {
  if (channel.testing?.version === version.id) return [];
  const over = channel.testing ? [cancelled(name, channel.testing, `version ${version.number} is to come instead`)] : [];
  const tested = channel.tests.get(version.id);
  if (channel.test === undefined || tested?.passed) return [...over, assigned(name, channel, version.id, by, reason)];
  const attempt = (tested?.attempt ?? 0) + 1;
  return [...over, { type: 'TestStarted', data: { channel: name, version: version.id, build: testOf(image, name, version.id), plan: channel.test, by, attempt } }];
}

/** Channels that follow what is built, once a version is complete. They never go back by themselves. */
export function assignedWhenEnded(image: Image, version: Version): readonly ImageEvent[] {
  if (version.revoked?.due || version.use === 'disabled' || version.deletion) return [];
  return [...image.channels].flatMap(([name, channel]) => {
    if (!channel.managed) return [];
    // What is being tested is to come: one that was longer in the making does not take its place.
    const newest = Math.max(0, ...[...channel.history, channel.testing?.version].map((id) => image.versions.get(id ?? '')?.number ?? 0));
    return version.number > newest ? point(image, name, channel, version, 'managed') : [];
  });
}

/** Versions that a channel has pointed at, in the order in which it first did. */
function order(channel: Channel): string[] {
  return [...new Set(channel.history)].filter((id) => id !== null);
}

/** The version that a channel pointed at before, and that may be used: what it first pointed at later than now never comes back by itself. */
export function before(image: Image, channel: Channel): Version | undefined {
  const all = order(channel);
  const at = channel.version === null ? all.length : all.indexOf(channel.version);
  return all.slice(0, at).reverse().map((id) => image.versions.get(id)).find(isUsable);
}

/** What channels do when a version is no longer usable: they go back. What tests it is over. */
export function leaving(image: Image, id: string, by: 'revoke' | 'delete', reason: string): readonly ImageEvent[] {
  return [...image.channels].flatMap(([name, channel]): ImageEvent[] => [
    ...(channel.testing?.version === id ? [cancelled(name, channel.testing, reason)] : []),
    ...(channel.version === id ? [assigned(name, channel, before(image, channel)?.id ?? null, by, reason)] : []),
  ]);
}

export function saveChannel(image: Image, imageName: string, name: string, managed: boolean, test: string | undefined): Decision {
  if (image.status !== 'live') return unknownImage(imageName);
  if (name === LATEST && !managed) return refuse('invalid-data', `Channel ${LATEST} always follows what is built.`, 'managed', `must be true for ${LATEST}: make a channel of another name`);
  const known = image.channels.get(name);
  if (known && known.managed === managed && known.test === test) return [];
  // A test that is no more, or another one, decides nothing.
  const over = known?.testing && known.test !== test ? [cancelled(name, known.testing, 'the channel has another test now')] : [];
  return [...over, { type: 'ChannelSaved', data: { channel: name, managed, ...(test !== undefined && { test }) } }];
}

/** @param inUse what names it, or was booted from it, in words */
export function removeChannel(image: Image, imageName: string, name: string, inUse: string | undefined): Decision {
  if (image.status !== 'live') return unknownImage(imageName);
  const channel = image.channels.get(name);
  if (!channel) return unknownChannel(imageName, name);
  if (name === LATEST) return refuse('channel-in-use', `Channel ${LATEST} stays.`, 'channel', 'is there as long as its image');
  if (inUse !== undefined) return refuse('channel-in-use', `Channel ${imageName}:${name} is used by ${inUse}.`, 'channel', `is used by ${inUse}: change that first`);
  return [...(channel.testing ? [cancelled(name, channel.testing, 'the channel was removed')] : []), { type: 'ChannelRemoved', data: { channel: name } }];
}

export function assign(image: Image, imageName: string, name: string, id: string, reason: string | undefined, retest: boolean): Decision {
  if (image.status !== 'live') return unknownImage(imageName);
  const channel = image.channels.get(name);
  if (!channel) return unknownChannel(imageName, name);
  const version = staying(image, id);
  if (isRefusal(version)) return version;
  const unusable = unusableFor(version);
  if (unusable) return unusable;
  if (channel.version === id) return [];
  if (channel.test !== undefined && channel.tests.get(id)?.passed === false && !retest) {
    return refuse('test-failed', `Version ${version.number} has failed the test ${channel.test} of channel ${name}.`, 'version', 'has failed its test: mend it and build a new version, or have it tried again with `retest` (--retest)');
  }
  return point(image, name, channel, version, 'assign', reason);
}

function unusableFor(version: Version): Refusal | undefined {
  const { number } = version;
  if (version.ended !== 'COMPLETE') {
    const how = version.ended === undefined ? 'is still being built' : version.ended === 'PARTIAL' ? 'is complete for some of its targets only' : 'has failed';
    return refuse('version-not-complete', `Version ${number} ${how}.`, 'version', `${how}: ${version.ended === undefined ? 'wait for it' : 'build what has failed once more, or take another one'}`);
  }
  if (version.revoked?.due) return refuse('version-revoked', `Version ${number} was revoked: ${version.revoked.reason}.`, 'version', 'was revoked: take another one, or restore it (berth image restore)');
  if (version.use === 'disabled') return refuse('version-disabled', `Version ${number} is disabled.`, 'version', 'is disabled: take another one, or mark it active (berth image mark)');
  return undefined;
}

export function rollBack(image: Image, imageName: string, name: string, from: string | undefined, to: string | undefined, reason: string): Decision {
  if (image.status !== 'live') return unknownImage(imageName);
  const channel = image.channels.get(name);
  if (!channel) return unknownChannel(imageName, name);
  const numberOf = (id: string | null) => (id === null ? 'no version' : `version ${image.versions.get(id)?.number ?? id}`);
  if (from !== undefined && channel.version !== from) return refuse('channel-moved', `Channel ${imageName}:${name} points at ${numberOf(channel.version)} by now.`, 'from', `is not what it points at: that is ${numberOf(channel.version)}`);
  if (to === undefined) {
    const version = before(image, channel);
    if (!version) return refuse('no-version-before', `Channel ${imageName}:${name} has pointed at no version before that may be used.`, 'to', 'there is none to go back to: assign one (berth image channel assign)');
    return back(name, channel, version, reason);
  }
  if (!order(channel).includes(to)) return refuse('no-version-before', `Channel ${imageName}:${name} has never pointed at ${numberOf(to)}.`, 'to', 'must be one that it has pointed at: assign others (berth image channel assign)');
  const version = staying(image, to);
  if (isRefusal(version)) return version;
  return unusableFor(version) ?? (channel.version === to ? [] : back(name, channel, version, reason));
}

const back = (name: string, channel: Channel, version: Version, reason: string): readonly ImageEvent[] => [
  ...(channel.testing ? [cancelled(name, channel.testing, `the channel was rolled back: ${reason}`)] : []),
  assigned(name, channel, version.id, 'rollback', reason),
];

/** A test has ended: what passed is pointed at, unless it may not be used any more. */
export function endTest(image: Image, name: string, build: string, passed: boolean, error: string | undefined): readonly ImageEvent[] {
  const channel = image.channels.get(name);
  if (channel?.testing?.build !== build) return [];
  const { version: id, by } = channel.testing;
  const version = image.versions.get(id);
  const over: ImageEvent = { type: 'TestEnded', data: { channel: name, version: id, build, passed, ...(error !== undefined && { error }) } };
  return passed && isUsable(version) && channel.version !== id ? [over, assigned(name, channel, id, by)] : [over];
}
