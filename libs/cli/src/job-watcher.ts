import type { LiveEvent } from '@berth/client';
import type { JobEvent } from '@berth/contracts';
import { printable, span } from './text.js';
import type { Screen } from './watcher.js';

/** What is told of an event of a job. */
type Happened = Pick<LiveEvent, 'type' | 'data'>;

/** Shows a job while it runs. */
export interface JobWatcher {
  /** what happened, in order */
  event(event: Happened): void;
  /** Leaves the screen in order. */
  end(): void;
}

const CLEAR = '\r\u001b[K';

/** How a job ended, by its last event. */
export const isEnd = ({ type }: Happened): boolean => type === 'JobCompleted' || type === 'JobFailed' || type === 'JobCancelled';

/** A line for each thing that happens; on a terminal also one at the bottom that says what it is at and for how long. */
export function jobWatcher(screen: Screen, now: () => number = Date.now): JobWatcher {
  const live = screen.isTTY === true;
  const began = now();
  const methods = new Map<number, string>();
  let at = '';
  let drawn = false;
  const tick = live ? setInterval(draw, 1000) : undefined;
  tick?.unref();

  function clear(): void {
    if (drawn) screen.write(CLEAR);
    drawn = false;
  }

  function draw(): void {
    if (!live || at === '') return;
    const elapsed = Math.floor((now() - began) / 1000) * 1000;
    // A line as wide as the terminal would wrap, and the next clearing would leave half of it behind.
    const text = [...`${elapsed === 0 ? '0 s' : span(elapsed)}  ${at}`].slice(0, (screen.columns || 80) - 1).join('');
    screen.write(`${CLEAR}${text}`);
    drawn = true;
  }

  return {
    event(event) {
      const line = lineOf(event as JobEvent, methods);
      // Of an event that only a newer Berth knows there is nothing to say.
      if (line === undefined) return;
      clear();
      screen.write(`${printable(line)}\n`);
      at = isEnd(event) ? '' : printable(line);
      draw();
    },
    end() {
      clearInterval(tick);
      clear();
    },
  };
}

function lineOf(event: JobEvent, methods: Map<number, string>): string | undefined {
  const tried = (attempt: number) => `attempt ${attempt}: ${methods.get(attempt) ?? ''}`;
  switch (event.type) {
    case 'JobRequested':
      return `QUEUED: ${event.data.task} on ${event.data.machine}`;
    case 'JobStarted':
      return 'RUNNING';
    case 'JobNoted':
      return event.data.activity;
    case 'AttemptStarted':
      methods.set(event.data.attempt, event.data.method);
      return tried(event.data.attempt);
    case 'AttemptStep':
      return `${tried(event.data.attempt)}: ${event.data.step}`;
    case 'AttemptSkipped':
      methods.set(event.data.attempt, event.data.method);
      return `${tried(event.data.attempt)} is skipped: ${event.data.reason}`;
    case 'AttemptEnded':
      return `${tried(event.data.attempt)} ${event.data.outcome} after ${span(event.data.durationMs)}${event.data.fault === undefined ? '' : ` (${event.data.fault})`}${event.data.error === undefined ? '' : `: ${event.data.error}`}`;
    case 'TicketTold':
      return `ticket ${event.data.id} (${event.data.tracker}) is ${ticketWords[event.data.how]}${event.data.url === undefined ? '' : `: ${event.data.url}`}`;
    case 'CancelRequested':
      return `it is to end: ${event.data.reason}`;
    case 'InstallationReported':
      return 'the installation has finished';
    case 'JobCompleted':
      return `COMPLETE: ${machineWords[event.data.machine]}`;
    case 'JobFailed':
      return `FAILED: ${event.data.error}; ${machineWords[event.data.machine]}`;
    case 'JobCancelled':
      return `CANCELLED: ${event.data.reason}`;
  }
}

/** What was done with a ticket. */
export const ticketWords = { filed: 'filed', commented: 'commented on', reopened: 'opened again' } as const;
/** What became of a machine. */
export const machineWords = { up: 'the machine is up', down: 'the machine is down', unknown: 'the state of the machine is not known' } as const;
