import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { atEndOfFile } from './cleanup.js';

/** A TCP proxy on loopback that can do to a connection what networks do. */
export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** How many connections are open now. */
  readonly connections: number;
  /** Resets every open connection; new ones are accepted. */
  cut(): void;
  /** From now on refuses new connections (resets them at once) and resets the open ones, until `heal`. */
  down(): void;
  /** From now on passes nothing on in either direction, on open and on new connections, and loses nothing, until `heal`. */
  stall(): void;
  /** From now on passes every piece on this much later, until `heal`. */
  delay(ms: number): void;
  /** The network is well again; what was held back goes on. */
  heal(): void;
  stop(): Promise<void>;
}

interface Fault {
  readonly down: boolean;
  readonly stalled: boolean;
  readonly delayMs: number;
}

const WELL: Fault = { down: false, stalled: false, delayMs: 0 };

/** Starts a proxy to an address; it is stopped at the end of the file. */
export async function startProxy(target: { readonly host: string; readonly port: number }): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const flows = new Set<Flow>();
  let fault = WELL;

  const server = createServer((inside) => {
    if (fault.down) return void inside.resetAndDestroy();
    const outside = connect(target);
    const pair = [inside, outside] as const;
    const own = [new Flow(inside, outside, () => fault), new Flow(outside, inside, () => fault)];
    pairs.add(pair);
    for (const flow of own) flows.add(flow);
    const end = (): void => {
      pairs.delete(pair);
      for (const flow of own) flows.delete(flow);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', end);
    }
    // One side's close ends the pair only after what it sent before has been passed on.
    inside.on('close', end);
    outside.on('close', (failed) => (failed ? end() : undefined));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  const cut = (): void => {
    for (const [inside, outside] of pairs) {
      inside.resetAndDestroy();
      outside.resetAndDestroy();
    }
  };
  const set = (next: Fault): void => {
    fault = next;
    for (const flow of flows) flow.turn();
  };
  const stop = atEndOfFile(async () => {
    cut();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size;
    },
    cut,
    down: () => {
      set({ ...WELL, down: true });
      cut();
    },
    stall: () => set({ ...WELL, stalled: true }),
    delay: (ms) => set({ ...WELL, delayMs: ms }),
    heal: () => set(WELL),
    stop,
  };
}

/** One direction of one connection: pieces in order, each passed on when the fault of the moment lets it. */
class Flow {
  readonly #held: { readonly data: Buffer | 'end'; readonly at: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly fault: () => Fault,
  ) {
    from.on('data', (data) => this.#take(data as Buffer));
    from.on('end', () => this.#take('end'));
    to.on('drain', () => this.turn());
  }

  /** Passes on what may go now. */
  turn(): void {
    clearTimeout(this.#timer);
    const { stalled, delayMs } = this.fault();
    while (!stalled && this.#held.length > 0) {
      const first = this.#held[0]!;
      const wait = first.at + delayMs - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.turn(), wait);
        return;
      }
      this.#held.shift();
      if (first.data === 'end') this.to.end();
      else if (!this.to.write(first.data)) break;
    }
    // Reading on while the other side does not take it would only move the congestion into our memory.
    if (this.#held.length > 64 || this.to.writableNeedDrain) this.from.pause();
    else this.from.resume();
  }

  #take(data: Buffer | 'end'): void {
    this.#held.push({ data, at: performance.now() });
    if (this.#held.length === 1 && !this.to.writableNeedDrain) this.turn();
    else if (this.#held.length > 64) this.from.pause();
  }
}
