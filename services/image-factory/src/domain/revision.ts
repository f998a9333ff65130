import type { CommandData, ImageTemplate, Rebuild, Retention } from '@berth/contracts';
import type { Image, Saved } from './image.js';

type Revision = Omit<Saved, 'revision'>;
/** What is said when an image is saved: its template as it is written, and what is said beside that. */
export type Said = Pick<Revision, 'source' | 'format' | 'template'> & Partial<Omit<CommandData<'image-factory', 'SaveImage'>, 'source'>>;

/** Of the newest. */
const KEEP = 10;

/** Pure: what is saved. What is not said is as it was before where that is to be kept, and else not so. */
export function revisionOf({ source, format, template, unsaid = 'gone', ...said }: Said, image: Image): Revision {
  const before: Partial<Saved> = unsaid === 'kept' && image.status === 'live' ? (image.saved ?? {}) : {};
  const targets = chosen(said.targets, before.targets);
  const environment = chosen(said.environment, before.environment);
  const retention = retentionOf(said.retention, before.retention);
  const rebuild = rebuildOf(said.rebuild, before.rebuild);
  return {
    source, format, template: targets ? withTargets(template, targets) : template, ...(targets && { targets }), ...(environment !== undefined && { environment }), ...(retention && { retention }), ...(rebuild && { rebuild }),
  };
}

/** What the template says of a target goes before what is said beside it. */
const withTargets = (template: ImageTemplate, targets: ImageTemplate['targets']): ImageTemplate => ({ ...template, targets: { ...targets, ...template.targets } });

/** Null takes it away. */
const chosen = <T>(said: T | null | undefined, before: T | undefined): T | undefined => (said === undefined ? before : (said ?? undefined));

function retentionOf(said: Said['retention'], before: Retention | undefined): Retention | undefined {
  if (!said) return chosen(said, before);
  const maxAge = chosen(said.maxAge, before?.maxAge);
  return { keep: said.keep ?? before?.keep ?? KEEP, ...(maxAge !== undefined && { maxAge }) };
}

function rebuildOf(said: Said['rebuild'], before: Rebuild | undefined): Rebuild | undefined {
  if (!said) return chosen(said, before);
  const schedule = chosen(said.schedule, before?.schedule);
  return { ...(schedule !== undefined && { schedule }), onParent: said.onParent ?? before?.onParent ?? false };
}
