import { InvalidArgumentError, type Command } from 'commander';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { LiveEnd, LiveEnding, TerminalSize } from '@berth/contracts';
import { leaf, type Context } from '../context.js';
import { escapes } from '../escape.js';
import { Exit, Failure, FAILED, OK } from '../failure.js';
import { count } from '../options.js';
import { shellLine } from '../quote.js';
import { put, type Sink } from '../sink.js';

const LOOPBACK = '127.0.0.1';

interface Ports {
  port: number;
  /** of this machine; 0 = any that is free */
  local: number;
}

/** What is talked to on a leased resource: `berth lease shell|forward` */
export function sessionCommands(lease: Command, context: Context): void {
  lease
    .command('shell <id> [words...]')
    .description('a terminal on the leased resource, in the folder of the lease; ends with its exit code. Without a terminal here, bytes go through untouched. `~.` at the beginning of a line leaves')
    .usage('<id> [-- COMMAND [ARGUMENT...]]')
    .action((id: string, words: string[]) => shell(context, id, words.length === 0 ? undefined : shellLine(words)));
  leaf(lease, 'forward <id> <port[:local]>', 'a port that the leased host can reach, as one of this machine, until Ctrl-C')
    .option('--address <address>', 'whose port, as seen from the host', LOOPBACK)
    .action((id: string, text: string, { address }: { address: string }) => forward(context, id, ports(text), address));
}

function ports(text: string): Ports {
  const [port, local = 0, ...more] = text.split(':').map(count);
  if (!port || more.length > 0 || Math.max(port, local) > 65_535) throw new InvalidArgumentError('Use PORT or PORT:LOCAL, such as 8080 or 80:8080.');
  return { port, local };
}

// --- a terminal ---

async function shell(context: Context, lease: string, command: string | undefined): Promise<void> {
  const { berth, io } = context;
  const { stdin, stdout, stderr } = io;
  const tty = stdin?.isTTY === true && stdout.isTTY === true;
  const size = (): TerminalSize => ({ columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 });
  const term = io.env['TERM'];
  const { id } = await berth.leases.terminal(lease, { tty, ...(tty && size()), ...(term && /^[A-Za-z0-9][\w.+-]{0,63}$/.test(term) && { term }), ...(command !== undefined && { command }) });
  let over: (ending: LiveEnding) => void = () => undefined;
  const ended = new Promise<LiveEnding>((resolve) => (over = resolve));
  const end = await berth.actions.join(id, { data: (stream, bytes) => put(stream === 'err' ? stderr : stdout, bytes), ended: over }, tty ? { size: size() } : {});
  const resize = () => end.resize(size());
  if (tty) {
    stdin.setRawMode?.(true);
    stdout.on?.('resize', resize);
  }
  // What was typed and could not be read is no reason to end: what runs there goes on.
  if (stdin) type(stdin, end, tty).catch((error: Error) => end.ended || context.note(`standard input: ${error.message}`));
  const ending = await ended;
  if (tty) {
    stdout.off?.('resize', resize);
    stdin.setRawMode?.(false);
  }
  // Or a key would have to be pressed before the program can end.
  stdin?.destroy?.();
  if (ending.exitCode === undefined) {
    if (ending.code !== 'left') throw new Failure(ending.code, ending.message);
    context.note(ending.message);
    throw new Exit(FAILED);
  }
  if (ending.exitCode !== OK) throw new Exit(ending.exitCode);
}

async function type(keys: AsyncIterable<string | Uint8Array>, end: LiveEnd, tty: boolean): Promise<void> {
  const read = tty ? escapes() : (bytes: Buffer) => ({ bytes, leave: false });
  for await (const piece of keys) {
    const { bytes, leave } = read(Buffer.from(piece));
    if (bytes.length > 0 && !(await end.write('in', bytes))) return;
    if (leave) return end.abort({ code: 'left', message: 'You left the terminal: what it had in the foreground was told to hang up.' });
  }
  end.finish();
}

// --- a forward ---

async function forward(context: Context, lease: string, { port, local }: Ports, address: string): Promise<void> {
  const { berth } = context;
  const open = new Set<LiveEnd>();
  let carry: (socket: Socket) => void = (socket) => socket.destroy();
  const server = createServer({ allowHalfOpen: true }, (socket) => carry(socket));
  const here = await listen(server, local);
  let over: (ending: LiveEnding | undefined) => void = () => undefined;
  const ended = new Promise<LiveEnding | undefined>((resolve) => (over = resolve));
  const interrupt = () => over(undefined);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  let keeper: LiveEnd | undefined;
  try {
    const { id } = await berth.leases.forward(lease, { port, address });
    let ready: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (ready = resolve));
    keeper = await berth.actions.join(id, { opened: () => ready(), data: () => undefined, ended: over }, { keeps: true });
    carry = (socket) => void connection(context, id, socket, open);
    const ending = await Promise.race([ended, opened]);
    if (ending) throw new Failure(ending.code, ending.message);
    const url = `http://${LOOPBACK}:${here}`;
    context.result({ id, url, local: here, port, address }, () => `${url} is port ${port} of ${address === LOOPBACK ? 'the host' : address}, until Ctrl-C.`);
    const why = await ended;
    if (why) throw new Failure(why.code, why.message);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
    server.close();
    for (const end of [...open, ...(keeper ? [keeper] : [])]) end.abort({ code: 'left', message: 'Whoever kept the forward ended it.' });
  }
}

/** The port that was named, or any that is free: on the host's own machine, the same one would lead back to us. */
async function listen(server: Server, local: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(local, LOOPBACK, resolve);
    });
  } catch (error) {
    throw new Failure('local-port', `Port ${local} of this machine can't be listened on (${(error as NodeJS.ErrnoException).code}): name another one after the colon, or none.`);
  }
  return (server.address() as AddressInfo).port;
}

/** One connection, both ways, until both sides have ended. */
async function connection(context: Context, action: string, socket: Socket, open: Set<LiveEnd>): Promise<void> {
  socket.on('error', () => undefined); // its close follows
  try {
    const end = await context.berth.actions.join(action, {
      data: (_stream, bytes) => put(socket as Sink, bytes),
      eof: () => void socket.end(),
      ended(ending, by) {
        open.delete(end);
        if (ending.code === 'closed') return socket.destroySoon();
        if (by === 'them') context.note(ending.message);
        socket.resetAndDestroy();
      },
    });
    open.add(end);
    socket.once('close', () => end.abort({ code: 'left', message: 'The connection was closed here.' }));
    if (socket.destroyed) return end.abort({ code: 'left', message: 'The connection was closed here.' });
    for await (const bytes of socket.iterator({ destroyOnReturn: false })) if (!(await end.write('in', bytes as Buffer))) return;
    end.finish();
  } catch (error) {
    if (socket.destroyed) return; // cut off here: told above
    context.note(`a connection was not carried: ${(error as Error).message}`);
    socket.resetAndDestroy();
  }
}
