import type { TerminalSize } from '../action.js';
import type { LiveEnding, LiveOpening } from './bodies.js';
import { decodeFrame, encodeFrame, MOST_DATA, type Bodies, type Frame, type LiveStream } from './frame.js';

/** What one end of a live session is told. Called in the order in which the other end did it. */
export interface LiveListener {
  /** The other end is there. */
  opened?(opening: LiveOpening): void;
  /** When this resolves the bytes are off our hands, and the other end may send as many more. */
  data(stream: LiveStream, bytes: Uint8Array): Promise<void> | void;
  /** No more data comes. */
  eof?(): void;
  resized?(size: TerminalSize): void;
  /** Once, and nothing after it. `by` says which end it was. */
  ended(ending: LiveEnding, by: 'us' | 'them'): void;
}

/** How a live session keeps time, in milliseconds, and how much is under way. */
export interface LiveTimes {
  beatMs: number;
  /** nothing was heard for so long: nobody is there any more */
  silenceMs: number;
}

const TIMES: LiveTimes = { beatMs: 5000, silenceMs: 20_000 };
/** Bytes that an end takes before the first of them is off its hands. */
export const WINDOW = 256 * 1024;
/** Room is given back in portions, or it would cost a message for each. */
const PORTION = WINDOW / 4;
const FIRST_AGAIN_MS = 25;
const LAST_AGAIN_MS = 1000;

/** Node's holds a process up unless it is told not to; a browser's is a number. */
type Timer = ReturnType<typeof setTimeout>;
const idle = <T extends Timer>(timer: T): T => {
  if (typeof timer === 'object') timer.unref();
  return timer;
};

type Data = Extract<Frame, { type: 'data' }>;
interface Waiting {
  frame: Frame;
  sent: (over: boolean) => void;
}

/**
 * One end of a live session: bytes both ways in order, no faster than the other end takes them. What carries the messages
 * may lose some, at most once each: that is noticed and ends the session, because bytes with a gap are worth less than none.
 * A file that browsers load too: it needs nothing of Node's, and no schemas.
 */
export class LiveEnd {
  private sending = 0;
  private expected = 0;
  /** what the other end has room for, of all that it ever has */
  private room = 0;
  private most = 0;
  /** what came and was not given back as room, and how much of that is off our hands */
  private owed = 0;
  private returned = 0;
  private waiting: Waiting[] = [];
  private taken: Promise<void> = Promise.resolve();
  private heard = Date.now();
  private over = false;
  private closing: LiveEnding | undefined;
  private readonly timer: Timer;

  /**
   * @param publish hands one message to the other end; what it throws ends the session
   * @param bodies what is made of the JSON that comes
   */
  constructor(
    private readonly publish: (message: Uint8Array<ArrayBuffer>) => void,
    private readonly listener: LiveListener,
    private readonly bodies: Bodies,
    private readonly times: LiveTimes = TIMES,
  ) {
    this.timer = idle(setInterval(() => this.beat(), times.beatMs));
  }

  get ended(): boolean {
    return this.over;
  }

  /** Before, nothing is sent: whoever begins may not be heard yet, and what comes after the beginning is said once. */
  private get ready(): boolean {
    return this.sending > 0 && this.expected > 0;
  }

  /** Begins the session: says so until the other end is heard, which may not be there yet. */
  begin(more: Omit<LiveOpening, 'window'> = {}): void {
    const opening = { window: WINDOW, ...more };
    this.send({ type: 'open', opening });
    const again = (afterMs: number): void => {
      idle(setTimeout(() => {
        if (this.over || this.expected > 0) return;
        this.pass(encodeFrame({ type: 'open', opening }, 0));
        again(Math.min(2 * afterMs, LAST_AGAIN_MS));
      }, afterMs));
    };
    again(FIRST_AGAIN_MS);
  }

  /** Answers the one who began: from now on bytes may come. */
  open(): void {
    this.send({ type: 'open', opening: { window: WINDOW } });
    this.pump();
  }

  /** Resolves when it is on its way; `false` = it is over, and nothing more is taken. */
  async write(stream: LiveStream, bytes: Uint8Array): Promise<boolean> {
    let last: Promise<boolean> = Promise.resolve(!this.over);
    for (let at = 0; at < bytes.length; at += MOST_DATA) last = this.queue({ type: 'data', stream, bytes: bytes.subarray(at, at + MOST_DATA) });
    return last;
  }

  /** No more data comes from here. */
  finish(): void {
    void this.queue({ type: 'eof' });
  }

  resize(size: TerminalSize): void {
    void this.queue({ type: 'size', size });
  }

  /** Ends it behind all that was written: the other end has taken everything, or is gone, when it is `ended`. */
  close(ending: LiveEnding): void {
    if (this.over || this.closing) return;
    this.closing = ending;
    void this.queue({ type: 'close', ending });
  }

  /** Ends it now. */
  abort(ending: LiveEnding): void {
    if (this.over) return;
    this.send({ type: 'abort', ending });
    this.end(ending, 'us');
  }

  /** A message of the other end. */
  receive(message: Uint8Array): void {
    if (this.over) return;
    try {
      const { number, frame } = decodeFrame(message, this.bodies);
      // The one who begins says so until it is heard.
      if (frame.type === 'open' && number === 0 && this.expected > 0) return;
      if (number !== this.expected >>> 0) {
        this.abort({ code: 'lost-message', message: 'A part of what was sent got lost on its way (the bus was away for a moment): open another.' });
        return;
      }
      this.expected++;
      this.heard = Date.now();
      this.take(frame);
    } catch (error) {
      this.abort({ code: 'protocol', message: `What came is not understood (${(error as Error).message}): both ends must be of the same version.` });
    }
  }

  private take(frame: Frame): void {
    switch (frame.type) {
      case 'open':
        this.room = this.most = frame.opening.window;
        this.listener.opened?.(frame.opening);
        this.pump();
        break;
      case 'room':
        this.room += frame.bytes;
        if (this.room > this.most) throw new Error('more room was given back than was taken');
        this.pump();
        break;
      case 'data':
        this.owed += frame.bytes.length;
        if (this.owed > WINDOW) throw new Error('more was sent than there was room for');
        this.inOrder(() => this.hand(frame));
        break;
      case 'eof':
        this.inOrder(() => this.listener.eof?.());
        break;
      case 'size':
        this.inOrder(() => this.listener.resized?.(frame.size));
        break;
      case 'close':
        this.inOrder(() => {
          this.send({ type: 'closed' });
          this.end(frame.ending, 'them');
        });
        break;
      case 'closed':
        if (this.closing) this.end(this.closing, 'us');
        break;
      case 'abort':
        this.end(frame.ending, 'them');
        break;
      case 'beat':
        break;
    }
  }

  private inOrder(work: () => Promise<void> | void): void {
    this.taken = this.taken
      .then(() => (this.over ? undefined : work()))
      .catch((error: unknown) => this.abort({ code: 'broken', message: `It can't be passed on: ${(error as Error).message}.` }));
  }

  private async hand({ stream, bytes }: Data): Promise<void> {
    await this.listener.data(stream, bytes);
    this.returned += bytes.length;
    if (this.returned < PORTION && this.returned < this.owed) return;
    this.owed -= this.returned;
    this.send({ type: 'room', bytes: this.returned });
    this.returned = 0;
  }

  private queue(frame: Frame): Promise<boolean> {
    if (this.over || (this.closing && frame.type !== 'close')) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.waiting.push({ frame, sent: resolve });
      this.pump();
    });
  }

  private pump(): void {
    for (let first = this.waiting[0]; first && this.ready && !this.over; first = this.waiting[0]) {
      const { frame } = first;
      if (frame.type === 'data') {
        if (this.room === 0) return;
        if (frame.bytes.length > this.room) {
          const part = frame.bytes.subarray(0, this.room);
          first.frame = { ...frame, bytes: frame.bytes.subarray(this.room) };
          this.room = 0;
          this.send({ ...frame, bytes: part });
          return;
        }
        this.room -= frame.bytes.length;
      }
      this.waiting.shift();
      this.send(frame);
      first.sent(!this.over);
    }
  }

  private send(frame: Frame): void {
    if (!this.over) this.pass(encodeFrame(frame, this.sending++));
  }

  private pass(message: Uint8Array<ArrayBuffer>): void {
    try {
      this.publish(message);
    } catch (error) {
      this.end({ code: 'broken', message: `It can't be passed on: ${(error as Error).message}.` }, 'us');
    }
  }

  private beat(): void {
    if (Date.now() - this.heard > this.times.silenceMs) {
      this.abort({ code: 'gone', message: 'The other end was not heard of any more.' });
      return;
    }
    if (this.ready) this.send({ type: 'beat' });
  }

  private end(ending: LiveEnding, by: 'us' | 'them'): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.timer);
    const left = this.waiting;
    this.waiting = [];
    for (const { sent } of left) sent(false);
    this.listener.ended(ending, by);
  }
}
