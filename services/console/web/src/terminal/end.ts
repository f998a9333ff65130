import { decode, encode, MOST_DATA, type Ending, type Frame, type Size } from './frame';

/** What this end of a terminal is told. */
export interface Listener {
  opened?(): void;
  /** When it resolves, the bytes are shown and as many more may come. */
  data(bytes: Uint8Array): Promise<void> | void;
  /** Once, and nothing after it. */
  ended(ending: Ending): void;
}

const WINDOW = 256 * 1024;
const PORTION = WINDOW / 4;
const BEAT_MS = 5000;
const SILENCE_MS = 20_000;
const FIRST_AGAIN_MS = 25;
const LAST_AGAIN_MS = 1000;

/**
 * The browser's end of a terminal. The other one, and the one of everybody who is not a browser, is `LiveEnd` of the
 * contracts, which is made of Node's buffers; `end.spec.ts` has the two talk to each other.
 */
export class TerminalEnd {
  private sending = 0;
  private expected = 0;
  /** what the other end still takes */
  private room = 0;
  private shown = 0;
  private owed = 0;
  private waiting: Exclude<Frame, { type: 'open' }>[] = [];
  private taken: Promise<void> = Promise.resolve();
  private heard = Date.now();
  private over = false;
  private again: ReturnType<typeof setTimeout> | undefined;
  private readonly timer = setInterval(() => this.beat(), BEAT_MS);

  constructor(
    private readonly publish: (message: Uint8Array<ArrayBuffer>) => void,
    private readonly listener: Listener,
  ) {}

  /** Says so until the other end is heard, which may not be there yet. */
  begin(size: Size): void {
    const opening: Frame = { type: 'open', opening: { window: WINDOW, size } };
    this.send(opening);
    const once = (afterMs: number): void => {
      this.again = setTimeout(() => {
        if (this.over || this.expected > 0) return;
        this.publish(encode(opening, 0));
        once(Math.min(2 * afterMs, LAST_AGAIN_MS));
      }, afterMs);
    };
    once(FIRST_AGAIN_MS);
  }

  /** What was typed. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MOST_DATA) this.waiting.push({ type: 'in', bytes: bytes.subarray(at, at + MOST_DATA) });
    this.pump();
  }

  resize(size: Size): void {
    this.waiting.push({ type: 'size', size });
    this.pump();
  }

  /** Whoever typed has gone. */
  leave(): void {
    this.abort({ code: 'left', message: 'You left the terminal.' });
  }

  /** The connection is gone, or what came cannot be understood. */
  abort(ending: Ending): void {
    if (this.over) return;
    this.send({ type: 'abort', ending });
    this.end(ending);
  }

  receive(message: Uint8Array): void {
    if (this.over) return;
    let got: ReturnType<typeof decode>;
    try {
      got = decode(message);
    } catch (error) {
      return this.abort({ code: 'protocol', message: `What came is not understood (${(error as Error).message}): load this page again.` });
    }
    if (got.frame.type === 'open' && got.number === 0 && this.expected > 0) return;
    if (got.number !== this.expected >>> 0) return this.abort({ code: 'lost-message', message: 'A part of what was sent got lost on its way (the bus was away for a moment): open another.' });
    this.expected++;
    this.heard = Date.now();
    this.take(got.frame);
  }

  private take(frame: Frame): void {
    switch (frame.type) {
      case 'open':
        this.room = frame.opening.window;
        this.listener.opened?.();
        return this.pump();
      case 'room':
        this.room += frame.bytes;
        return this.pump();
      case 'out':
      case 'err':
        this.owed += frame.bytes.length;
        if (this.owed > WINDOW) return this.abort({ code: 'protocol', message: 'More was sent than there was room for.' });
        return this.inOrder(() => this.show(frame.bytes));
      case 'close':
        return this.inOrder(() => {
          this.send({ type: 'closed' });
          this.end(frame.ending);
        });
      case 'abort':
        return this.end(frame.ending);
      case 'in':
      case 'size':
      case 'eof':
      case 'beat':
      case 'closed':
        return;
    }
  }

  private inOrder(work: () => Promise<void> | void): void {
    this.taken = this.taken.then(() => (this.over ? undefined : work())).catch((error: unknown) => this.abort({ code: 'broken', message: `It cannot be shown: ${(error as Error).message}.` }));
  }

  /** Room is given back in portions, or it would cost a message for each. */
  private async show(bytes: Uint8Array): Promise<void> {
    await this.listener.data(bytes);
    this.shown += bytes.length;
    if (this.shown < PORTION && this.shown < this.owed) return;
    this.owed -= this.shown;
    this.send({ type: 'room', bytes: this.shown });
    this.shown = 0;
  }

  /** Before the other end is heard, nothing but the opening may be said. */
  private pump(): void {
    for (let first = this.waiting[0]; first && this.expected > 0 && !this.over; first = this.waiting[0]) {
      if (first.type === 'in') {
        if (this.room === 0) return;
        const { bytes } = first;
        if (bytes.length > this.room) {
          this.waiting[0] = { type: 'in', bytes: bytes.subarray(this.room) };
          this.send({ type: 'in', bytes: bytes.subarray(0, this.room) });
          this.room = 0;
          return;
        }
        this.room -= bytes.length;
      }
      this.waiting.shift();
      this.send(first);
    }
  }

  private send(frame: Frame): void {
    if (!this.over) this.publish(encode(frame, this.sending++));
  }

  private beat(): void {
    if (Date.now() - this.heard > SILENCE_MS) this.abort({ code: 'gone', message: 'The other end was not heard of any more.' });
    else if (this.expected > 0) this.send({ type: 'beat' });
  }

  private end(ending: Ending): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.timer);
    clearTimeout(this.again);
    this.listener.ended(ending);
  }
}
