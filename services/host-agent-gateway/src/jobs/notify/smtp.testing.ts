import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** A mail as it came. */
export interface Mail {
  from: string;
  to: string[];
  /** who had logged in */
  user: string | undefined;
  secure: boolean;
  raw: string;
}

/** How a server is. */
export interface SmtpHabits {
  /** offers STARTTLS, or TLS from the first byte on */
  tls?: { cert: string; key: string; atOnce?: boolean };
  login?: { user: string; password: string };
  /** addresses that it does not know (550) */
  unknown?: readonly string[];
  /** answers the end of a mail with these, one after the other */
  answers?: number[];
  /** says nothing after a mail */
  silent?: boolean;
}

/** A server that takes mail over real SMTP, and keeps it. */
export class SmtpSink {
  readonly mails: Mail[] = [];
  tries = 0;
  logins = 0;

  private constructor(private readonly server: SMTPServer) {}

  static async start({ tls, login, unknown = [], answers = [], silent = false }: SmtpHabits = {}): Promise<SmtpSink> {
    const no = (message: string, responseCode: number) => Object.assign(new Error(message), { responseCode });
    const server = new SMTPServer({
      ...(tls && { cert: tls.cert, key: tls.key, secure: tls.atOnce === true }),
      disabledCommands: [...(tls ? [] : ['STARTTLS']), ...(login ? [] : ['AUTH'])],
      closeTimeout: 50,
      authOptional: login === undefined,
      // It would take a password in the clear, so that a test sees whether one comes.
      allowInsecureAuth: true,
      onAuth(auth, _session, done) {
        sink.logins++;
        if (auth.username === login?.user && auth.password === login?.password) done(null, { user: auth.username! });
        else done(no(`Invalid login: ${String(auth.password)} is not the password`, 535));
      },
      onRcptTo: ({ address }, _session, done) => done(unknown.includes(address) ? no('No such user here', 550) : undefined),
      onData(stream, session, done) {
        let raw = '';
        stream.setEncoding('utf8').on('data', (part: string) => (raw += part)).on('end', () => {
          sink.tries++;
          const answer = answers.shift();
          if (silent) return;
          if (answer !== undefined) return done(no('not taken', answer));
          sink.mails.push({ from: session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address, to: session.envelope.rcptTo.map(({ address }) => address), user: session.user as string | undefined, secure: session.secure, raw });
          done();
        });
      },
    });
    const sink = new SmtpSink(server);
    server.on('error', () => undefined); // a client that does not trust us
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.close(resolve));
  }
}
