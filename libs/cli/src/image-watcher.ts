import type { ImageVersionView } from '@berth/client';
import type { ImageStatus, ImageTarget } from '@berth/contracts';
import { printable } from './text.js';
import { buildWatcher, type Screen } from './watcher.js';

/** What is under way: a target that is built, or a push. */
export interface Part {
  name: string;
  status: ImageStatus;
  percent: number;
  activity: string | null;
  error: string | null;
}

/** Which parts of a version are followed. */
export type Parts = (version: ImageVersionView) => readonly Part[];

/** What is built of a version, or one target of it. */
export const built = (only?: ImageTarget): Parts => ({ targets }) => targets.filter(({ target }) => only === undefined || target === only).map(({ target, ...part }) => ({ ...part, name: target }));
/** What is pushed of a version to accounts. One that has it no more has not what was asked for. */
export const pushed = (accounts: ReadonlySet<string>): Parts => ({ pushes }) =>
  [...accounts].map((name): Part => {
    const { status = 'DELETED', percent = 0, activity = null, error = null } = pushes.find(({ account }) => account === name) ?? {};
    return { name, status, percent, activity, error };
  });
/** All that is built and pushed of a version. */
export const everything: Parts = (version) => [...built()(version), ...pushed(new Set(version.pushes.map(({ account }) => account)))(version)];

export const isLive = (status: ImageStatus): boolean => status === 'NEW' || status === 'PENDING' || status === 'BUILDING';

/** Shows parts of a version while they are under way. */
export interface PartsWatcher {
  /** how they are now */
  show(parts: readonly Part[]): void;
  /** Leaves the screen in order. */
  end(): void;
}

/** On a terminal a bar in the last line, with a line above it for each part that begins or ends; otherwise a line for each change, such as `raw: BUILDING 12% installs packages`. */
export function partsWatcher(screen: Screen): PartsWatcher {
  const live = screen.isTTY === true;
  const bar = live ? buildWatcher(screen) : undefined;
  const told = new Map<string, string>();
  return {
    show(parts) {
      for (const part of parts) {
        const line = printable(lineOf(part));
        // What the bar shows as it goes would scroll by without end.
        const news = live ? part.status : line;
        if (told.get(part.name) === news) continue;
        told.set(part.name, news);
        if (bar) bar.log(Buffer.from(`${line}\n`));
        else screen.write(`${line}\n`);
      }
      const active = parts.filter(({ status }) => isLive(status));
      if (parts.length > 0) bar?.status({ data: { id: '', status: 'done', percent: mean(parts), activity: slowest(active), error: null } });
    },
    end: () => bar?.end(),
  };
}

/** What the part is at that is furthest behind: the bar has no room for all. */
function slowest(active: readonly Part[]): string | null {
  if (active.length === 0) return null;
  const { name, activity, status } = active.reduce((least, part) => (part.percent < least.percent ? part : least));
  return `${name}: ${activity ?? status}${active.length > 1 ? ` (${active.length} under way)` : ''}`;
}

const mean = (parts: readonly Part[]): number => Math.floor(parts.reduce((sum, { percent }) => sum + percent, 0) / parts.length);

function lineOf({ name, status, percent, activity, error }: Part): string {
  if (isLive(status)) return [`${name}: ${status} ${percent}%`, activity].filter(Boolean).join(' ');
  return `${name}: ${status}${status === 'COMPLETE' || error === null ? '' : `: ${error}`}`;
}
