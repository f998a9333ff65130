import { derivedId, type ImageEvent, type ImageTarget, type MadeImage, type Refusal } from '@berth/contracts';
import { assignedWhenEnded } from './channels.js';
import { isLive, numberAfter, type Image, type Parent, type Target, type Version } from './image.js';
import { isRefusal, known, refuse, refuseAll, staying, unknownImage } from './refusals.js';

type Decision = readonly ImageEvent[] | Refusal;

export interface BuildCommand {
  type: 'Build';
  image: string;
  version: string;
  /** all that are available when absent */
  targets?: readonly ImageTarget[];
  /** what the template has, and the environment lets be built */
  available: readonly ImageTarget[];
  labels: Readonly<Record<string, string>>;
  reason?: string;
  parent?: Parent;
  cause: 'asked' | 'schedule' | 'parent';
}

/** The build that makes a target: the same attempt always has the same one. */
export const buildOf = (version: string, target: ImageTarget, attempt: number): string => derivedId(version, `${target} ${attempt}`);

export function build(command: BuildCommand, image: Image): Decision {
  if (image.versions.has(command.version)) return [];
  if (image.status !== 'live') return unknownImage(command.image);
  if (!image.saved) return refuse('version-imported', `Image ${command.image} was imported: there is no template that it could be built from.`, 'image', 'has no template: save one under its name (berth image save FILE)');
  const targets = [...new Set(command.targets ?? command.available)];
  const unbuildable = targets.filter((target) => !command.available.includes(target));
  const has = command.available.length === 0 ? 'none' : command.available.join(', ');
  if (targets.length === 0) return refuse('unbuildable-target', `Image ${command.image} can be built as nothing.`, 'targets', 'its template names no target that its environment lets be built: add one under `targets`');
  if (unbuildable.length > 0) return refuseAll('unbuildable-target', `Image ${command.image} can't be built as ${unbuildable.join(', ')}.`, unbuildable.map((target) => ({ field: 'data.targets', message: `has ${target}, which its template or its environment does not: use ${has}` })));
  const number = numberAfter(image);
  const { version, labels, reason, parent, cause } = command;
  return [
    { type: 'VersionRequested', data: { version, number, revision: image.saved.revision, targets, labels: { ...labels }, cause, ...(reason !== undefined && { reason }), ...(parent && { parent }) } },
    ...targets.map((target): ImageEvent => ({ type: 'TargetStarted', data: { version, target, attempt: 1, build: buildOf(version, target, 1) } })),
  ];
}

export function rebuildTarget(image: Image, id: string, target: ImageTarget): Decision {
  const version = staying(image, id);
  if (isRefusal(version)) return version;
  if (version.imported) return refuse('version-imported', `Version ${version.number} was imported.`, 'version', 'was imported, so nothing of it is built');
  const built = version.targets.get(target);
  if (!built) return refuse('target-not-there', `Version ${version.number} has no target ${target}.`, 'target', `is not one of ${[...version.targets.keys()].join(', ')}`);
  if (isLive(built.status)) return refuse('target-live', `Target ${target} of version ${version.number} is being built.`, 'target', 'is being built: wait for it');
  if (built.status !== 'FAILED') return refuse('target-not-failed', `Target ${target} of version ${version.number} has not failed: it is ${built.status}.`, 'target', 'has not failed: build a new version instead');
  const attempt = built.attempt + 1;
  return [{ type: 'TargetStarted', data: { version: id, target, attempt, build: buildOf(id, target, attempt) } }];
}

export function abort(image: Image, id: string, reason: string): Decision {
  const version = known(image, id);
  if (isRefusal(version)) return version;
  const live = [...version.targets].filter(([, { status }]) => isLive(status));
  return ending(image, version, live.map(([target, { attempt }]): OfEnd => ({ type: 'TargetFailed', data: { version: id, target, attempt, error: `it was aborted: ${reason}` } })));
}

/** Of the attempt that is under way; what comes late of another one is nothing new. */
const under = (image: Image, id: string, target: ImageTarget, attempt: number): { version: Version; built: Target } | undefined => {
  const version = image.versions.get(id);
  const built = version?.targets.get(target);
  return version && built && isLive(built.status) && built.attempt === attempt ? { version, built } : undefined;
};

export function progress(image: Image, id: string, target: ImageTarget, attempt: number, percent: number, activity: string): Decision {
  const found = under(image, id, target, attempt);
  if (!found) return [];
  // Never less than before, and complete only once it is.
  const reached = Math.max(found.built.percent, Math.min(99, Math.round(percent)));
  if (reached === found.built.percent && activity === found.built.activity) return [];
  return [{ type: 'TargetProgressed', data: { version: id, target, percent: reached, activity } }];
}

/** Also of what is being removed: how far that has come. */
export function targetFacts(image: Image, id: string, target: ImageTarget, attempt: number, facts: Readonly<Record<string, string>>): Decision {
  const built = image.versions.get(id)?.targets.get(target);
  const found = under(image, id, target, attempt) ?? (built?.status === 'DELETING' && built.attempt === attempt ? { built } : undefined);
  if (!found || Object.entries(facts).every(([key, value]) => (found.built.facts[key] ?? '') === value)) return [];
  return [{ type: 'TargetStep', data: { version: id, target, facts: { ...facts } } }];
}

export function complete(image: Image, id: string, target: ImageTarget, attempt: number, made: MadeImage): Decision {
  const found = under(image, id, target, attempt);
  return found ? ending(image, found.version, [{ type: 'TargetCompleted', data: { version: id, target, made } }]) : [];
}

export function fail(image: Image, id: string, target: ImageTarget, attempt: number, error: string): Decision {
  const found = under(image, id, target, attempt);
  return found ? ending(image, found.version, [{ type: 'TargetFailed', data: { version: id, target, attempt, error } }]) : [];
}

type OfEnd = Extract<ImageEvent, { type: 'TargetCompleted' | 'TargetFailed' }>;

/** When the last target has ended the version has, in the same commit, and so do channels move that follow what is built. */
function ending(image: Image, version: Version, events: readonly OfEnd[]): readonly ImageEvent[] {
  if (events.length === 0) return [];
  const ends = new Map(events.map(({ type, data }) => [data.target, type === 'TargetCompleted' ? 'COMPLETE' : 'FAILED'] as const));
  const statuses = [...version.targets].map(([target, { status }]) => ends.get(target) ?? status);
  if (statuses.some((status) => isLive(status))) return events;
  const complete = statuses.filter((status) => status === 'COMPLETE').length;
  const status = complete === statuses.length ? 'COMPLETE' : complete > 0 ? 'PARTIAL' : 'FAILED';
  return [...events, { type: 'VersionEnded', data: { version: version.id, status } }, ...(status === 'COMPLETE' ? assignedWhenEnded(image, version) : [])];
}
