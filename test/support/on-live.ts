import { afterEach, beforeAll, expect } from 'vitest';
import type { Browser } from 'playwright-core';
import { openWindow, startBrowser, type Window } from './browser.js';
import { startLive, type Live } from './live.js';

/** A Berth in which something is going on, and one window of a browser on it at a time. */
export interface OnLive {
  live: Live;
  /** Opens the window, signed in; it is closed when the test is over, and nothing that must not happen may have happened in it. */
  open(): Promise<Window>;
}

/** Registers what the specs of pages have in common. Called once, at the top of a spec file; what it gives is there in the tests. @param settings of Berth, besides the usual */
export function onLive(settings: () => Promise<Readonly<Record<string, string>>> = () => Promise.resolve({})): OnLive {
  let browser: Browser;
  let window: Window | undefined;
  const close = async (): Promise<void> => {
    expect(window?.faults ?? []).toEqual([]);
    await window?.page.context().close();
    window = undefined;
  };
  const on = {
    live: undefined as unknown as Live,
    async open() {
      await close();
      return (window = await openWindow(browser, on.live.url, { token: on.live.token }));
    },
  };
  beforeAll(async () => {
    [on.live, browser] = await Promise.all([settings().then(startLive), startBrowser()]);
  });
  afterEach(close);
  return on;
}
