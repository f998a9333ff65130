import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { LiveEvent } from '@berth/client';
import { framesOf } from './frames';
import { queries } from './read';
import { ProblemError } from './problem';
import { send } from './request';
import { Staleness } from './staleness';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
/** The console says every 15 s that it is still there. */
const SILENCE_MS = 40_000;
/** Away for longer, all is read again rather than every event that was missed. */
const TOO_LONG_MS = 120_000;

export type FeedState = 'connecting' | 'live' | 'lost';
type Listener = (event: LiveEvent) => void;

/** The one subscription of this page to what happens. It says what that makes old, and tells whoever listens. */
class Feed {
  private readonly listeners = new Set<Listener>();
  private readonly watchers = new Set<() => void>();
  private readonly staleness = new Staleness(queries);
  private stopping: AbortController | undefined;
  private last: { id: string; at: number } | undefined;
  state: FeedState = 'connecting';

  start(): void {
    if (this.stopping) return;
    this.stopping = new AbortController();
    void this.run(this.stopping.signal);
  }

  stop(): void {
    this.stopping?.abort();
    this.stopping = undefined;
    this.last = undefined;
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  private become(state: FeedState): void {
    if (state === this.state) return;
    this.state = state;
    for (const watcher of this.watchers) watcher();
  }

  private async run(signal: AbortSignal): Promise<void> {
    for (let wait = FIRST_RETRY_MS; !signal.aborted; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
      try {
        await this.follow(signal, () => (wait = FIRST_RETRY_MS));
      } catch (error) {
        if (signal.aborted) return;
        // Whoever was signed out is shown so; there is nothing to follow until the next sign-in.
        if (error instanceof ProblemError && error.status === 401) return this.stop();
        if (error instanceof ProblemError && error.status === 422) this.last = undefined;
      }
      if (signal.aborted) return;
      this.become('lost');
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** Until the connection ends. */
  private async follow(signal: AbortSignal, opened: () => void): Promise<void> {
    if (this.last && Date.now() - this.last.at > TOO_LONG_MS) this.last = undefined;
    const cut = new AbortController();
    const whole = AbortSignal.any([signal, cut.signal]);
    const { body } = await send('events', { signal: whole, headers: { Accept: 'text/event-stream', ...(this.last && { 'Last-Event-ID': this.last.id }) } });
    // What happened before this was not heard.
    if (!this.last) this.staleness.all();
    this.become('live');
    opened();
    let silence = setTimeout(() => cut.abort(), SILENCE_MS);
    try {
      for await (const frame of framesOf(body!)) {
        clearTimeout(silence);
        silence = setTimeout(() => cut.abort(), SILENCE_MS);
        if (this.last) this.last.at = Date.now();
        if (frame === 'beat') continue;
        if (frame.id !== undefined) this.last = { id: frame.id, at: Date.now() };
        this.tell(JSON.parse(frame.data) as LiveEvent);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  private tell(event: LiveEvent): void {
    this.staleness.note(event);
    for (const listener of this.listeners) listener(event);
  }
}

/** The feed of this page. */
export const feed = new Feed();

/** How the feed is. */
export const useFeedState = (): FeedState => useSyncExternalStore(feed.watch, () => feed.state);

/** Calls the listener with every event. It must not set a state for each of them: there may be a thousand in a second. */
export function useFeed(listener: Listener): void {
  const current = useRef(listener);
  useEffect(() => {
    current.current = listener;
  });
  useEffect(() => feed.listen((event) => current.current(event)), []);
}
