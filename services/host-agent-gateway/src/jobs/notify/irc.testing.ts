import { createServer as createPlain, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { MOST_BYTES, parseLine, type IrcMessage } from './irc-lines.js';

/** How a server is. */
export interface IrcHabits {
  password?: string;
  /** nicks that others have */
  taken?: readonly string[];
  /** what it asks for before it lets anybody in, as servers against spoofing do */
  cookie?: string;
  /** channels that nobody gets into (473) and that not everybody may speak in (404) */
  closed?: readonly string[];
  quiet?: readonly string[];
  tls?: { cert: string; key: string };
  /** says nothing at all */
  silent?: boolean;
}

const cut = (bytes: Buffer): Buffer => bytes.subarray(0, MOST_BYTES);
/** As ircds do: a name that does not resolve is the address, which is made as long as RFC 2812 lets a host be. */
const HOST = 'a-host-with-a-name-that-is-as-long-as-the-rfc-allows.example.com';

/**
 * A small server of IRC, over TCP or TLS, as strict as RFC 2812: a message is cut at 510 bytes when it comes and again when it is
 * handed on with its sender in front; nobody joins before NICK and USER; a nick is had once; who says more than ten lines at once is
 * thrown out. What a member of a channel would have got is kept.
 */
export class IrcServer {
  /** lines as they came, without CR-LF */
  readonly came: string[] = [];
  /** what others in the channels got */
  readonly got: string[] = [];
  readonly bare: string[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly habits: IrcHabits,
  ) {}

  static async start(habits: IrcHabits = {}): Promise<IrcServer> {
    const server: Server = habits.tls ? createTls(habits.tls) : createPlain();
    const made = new IrcServer(server, habits);
    server.on(habits.tls ? 'secureConnection' : 'connection', (socket: Socket) => made.welcome(socket));
    server.on('tlsClientError', () => undefined); // a client that does not trust us
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Texts that came through to the channel. */
  get texts(): string[] {
    return this.got.map(parseLine).filter((message) => message?.command === 'PRIVMSG').map((message) => message!.parameters[1]!);
  }

  private welcome(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined); // a client that is gone is gone
    const guest = new Guest(socket, this.habits, this.got);
    let rest = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        const line = rest.subarray(0, end);
        rest = rest.subarray(end + 1);
        // Section 2.3: messages end with CR-LF.
        if (line.at(-1) !== 0x0d) this.bare.push(line.toString());
        const taken = cut(line.at(-1) === 0x0d ? line.subarray(0, -1) : line).toString();
        this.came.push(taken);
        const message = parseLine(taken);
        if (message && this.habits.silent !== true) guest.take(message);
      }
    });
  }
}

/** One client. */
class Guest {
  private nick = '';
  private user = '';
  private password: string | undefined;
  private answered = false;
  private registered = false;
  private lines = 0;
  private readonly channels = new Set<string>();

  constructor(
    private readonly socket: Socket,
    private readonly habits: IrcHabits,
    private readonly got: string[],
  ) {}

  take({ command, parameters: [first = '', second = ''], parameters }: IrcMessage): void {
    const { taken = [], closed = [], quiet = [], cookie } = this.habits;
    switch (command) {
      case 'PASS':
        this.password = first;
        return undefined;
      case 'NICK':
        if (taken.includes(first)) return this.say(`433 * ${first} :Nickname is already in use`);
        this.nick = first;
        if (cookie !== undefined) this.raw(`PING :${cookie}`);
        return this.register();
      case 'USER':
        if (parameters.length < 4) return this.say('461 * USER :Not enough parameters');
        this.user = `~${first}`.slice(0, 10);
        return this.register();
      case 'PONG':
        this.answered = first === cookie;
        return this.register();
      case 'PING':
        return this.say(`PONG irc.example :${first}`);
      case 'QUIT':
        this.raw(`ERROR :Closing link (${first})`);
        this.socket.end();
        return undefined;
      default:
    }
    if (!this.registered) return this.say('451 * :You have not registered');
    if (command === 'JOIN') {
      if (closed.includes(first)) return this.say(`473 ${this.nick} ${first} :Cannot join channel (+i)`);
      this.channels.add(first);
      this.raw(`:${this.prefix} JOIN ${first}`);
      this.say(`353 ${this.nick} = ${first} :${this.nick} @ada`);
      return this.say(`366 ${this.nick} ${first} :End of NAMES list`);
    }
    if (command === 'PRIVMSG') {
      if (!this.channels.has(first) || quiet.includes(first)) return this.say(`404 ${this.nick} ${first} :Cannot send to channel`);
      if (++this.lines > 10) {
        this.raw('ERROR :Closing link (Excess Flood)');
        this.socket.end();
        return undefined;
      }
      this.got.push(cut(Buffer.from(`:${this.prefix} PRIVMSG ${first} :${second}`)).toString());
      return undefined;
    }
    return this.say(`421 ${this.nick} ${command} :Unknown command`);
  }

  private register(): void {
    const { password, cookie } = this.habits;
    if (this.registered || this.nick === '' || this.user === '' || (cookie !== undefined && !this.answered)) return;
    if (password !== undefined && this.password !== password) {
      this.say(`464 ${this.nick} :Password incorrect: ${this.password ?? ''}`);
      this.socket.end();
      return;
    }
    this.registered = true;
    this.say(`001 ${this.nick} :Welcome to the Internet Relay Network ${this.prefix}`);
    this.say(`422 ${this.nick} :MOTD File is missing`);
  }

  private get prefix(): string {
    return `${this.nick}!${this.user}@${HOST}`;
  }

  private say(line: string): void {
    this.raw(`:irc.example ${line}`);
  }

  private raw(line: string): void {
    this.socket.write(Buffer.concat([cut(Buffer.from(line)), Buffer.from('\r\n')]));
  }
}
