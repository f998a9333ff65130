import { ended, type BerthHttp, type BuildView } from '@berth/client';
import type { StatusEvent } from '@berth/contracts';
import { buildWatcher, type Screen } from './watcher.js';

/** A thing as it is now, and again after each of its events. */
export async function* changes<T extends { position: number }>(berth: BerthHttp, id: string, read: () => Promise<T>, signal?: AbortSignal): AsyncGenerator<T, void, undefined> {
  let seen = await read();
  yield seen;
  for await (const event of berth.events({ after: String(seen.position), ids: [id], ...(signal && { signal }) })) {
    // One read may show what several events tell.
    if (Number.parseInt(event.position, 10) <= seen.position) continue;
    seen = await read();
    yield seen;
  }
}

/** What frontends on the bus are told of a build, from its view. */
export const buildStatus = ({ id, status, percent, activity, error, remainingMs }: BuildView): Pick<StatusEvent, 'data'> => ({ data: { id, status, percent, activity, error, remainingMs } });

/** How long a build that has ended is watched while it is cleaned up. */
const CLEANING_MS = 5000;

/** Shows a build until it has ended, is cleaned up and its whole log was shown; resolves with what became of it. */
export async function watchBuild(berth: BerthHttp, id: string, screen: Screen, log: Screen = screen): Promise<BuildView> {
  const watcher = buildWatcher({
    write: (text) => (typeof text === 'string' ? screen : log).write(text),
    isTTY: screen.isTTY,
    get columns() {
      return screen.columns;
    },
  });
  const over = new AbortController();
  try {
    const printing = (async () => {
      for await (const bytes of berth.builds.log(id, { follow: true, signal: over.signal })) watcher.log(bytes);
    })();
    const telling = (async () => {
      let build: BuildView | undefined;
      let patience: NodeJS.Timeout | undefined;
      try {
        for await (build of changes(berth, id, () => berth.builds.get(id), over.signal)) {
          if (ended(build.status) && build.cleanedUp) return build;
          // Its host may be away: what is owed there is not waited for long.
          if (ended(build.status)) patience ??= setTimeout(() => over.abort(), CLEANING_MS);
          watcher.status(buildStatus(build));
        }
      } finally {
        clearTimeout(patience);
      }
      if (build && ended(build.status)) return build;
      throw new Error('the feed of events ended');
    })();
    // Whichever fails first ends the other.
    const [build] = await Promise.all([telling, printing]);
    watcher.status(buildStatus(build));
    return build;
  } finally {
    over.abort();
    watcher.end();
  }
}
