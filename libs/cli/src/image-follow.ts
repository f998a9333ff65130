import { ProblemError, type BerthHttp, type ImageVersionView } from '@berth/client';
import type { Context } from './context.js';
import { Exit, FAILED, INTERRUPTED } from './failure.js';
import { isLive, partsWatcher, type Parts } from './image-watcher.js';
import type { Screen } from './watcher.js';

/** Reads something as it is once a position is shown. */
export type ReadAt<T> = (after: number) => Promise<T>;

/** Something of an image as it was read first, and again after each event of the image. Ends when `signal` does. */
export async function* imageChanges<T extends { image: string }>(berth: BerthHttp, first: T, position: number, read: ReadAt<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  yield first;
  let seen = position;
  for await (const event of berth.events({ after: String(position), kinds: ['image'], ids: [first.image], signal })) {
    const at = Number.parseInt(event.position, 10);
    // Several events of one commit are shown by one read.
    if (at <= seen) continue;
    seen = at;
    yield await insist(read, at);
  }
}

/** A projection that is late is no reason to stop watching: the service itself waits before it says so. */
async function insist<T>(read: ReadAt<T>, after: number): Promise<T> {
  for (;;) {
    try {
      return await read(after);
    } catch (error) {
      if (!(error instanceof ProblemError && error.code === 'not-yet')) throw error;
    }
  }
}

/** Where what is watched goes: with `--json` the one value on stdout is the result. */
export const watchedOn = ({ io, json }: Context): Screen => (json ? io.stderr : io.stdout);

/** Runs until it has come to an end; interrupted, it says how things go on, and ends with 130. */
export async function untilInterrupted<T>(context: Context, goesOn: string, run: (signal: AbortSignal) => Promise<T | undefined>): Promise<T> {
  const given = new AbortController();
  const interrupt = () => given.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  try {
    const end = await run(given.signal);
    if (end !== undefined) return end;
  } finally {
    // What is still followed ends with it.
    given.abort();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
  context.note(goesOn);
  throw new Exit(INTERRUPTED);
}

/**
 * Tells what happens to parts of a version until all are at rest.
 *
 * @param after position of what began it
 */
export async function followVersion(context: Context, id: string, parts: Parts, after?: number): Promise<ImageVersionView> {
  const { berth } = context;
  const first = await berth.versions.get(id, { after });
  const watcher = partsWatcher(watchedOn(context));
  return untilInterrupted(context, `It goes on: follow it with \`berth image watch ${id}\`, end what is being built with \`berth image abort ${id}\`.`, async (signal) => {
    try {
      for await (const now of imageChanges(berth, first, Math.max(first.position, after ?? 0), (at) => berth.versions.get(first.id, { after: at }), signal)) {
        const all = parts(now);
        watcher.show(all);
        if (!all.some(({ status }) => isLive(status))) return now;
      }
      return undefined;
    } finally {
      watcher.end();
    }
  });
}

/** The same, and then shows the version; ends with 1 unless each of the parts is COMPLETE. */
export async function watchVersion(context: Context, id: string, parts: Parts, shown: (version: ImageVersionView) => string, after?: number): Promise<void> {
  const version = await followVersion(context, id, parts, after);
  context.result(version, () => `\n${shown(version)}`);
  if (!parts(version).every(({ status }) => status === 'COMPLETE')) throw new Exit(FAILED);
}
