import { rejected, type Answer, type CommandData } from '@berth/contracts';
import { sendHttp, type Command, type HttpReply } from '@berth/runtime';
import { maskText } from '../masking/masker.js';
import { patternsOf } from '../masking/patterns.js';
import { SecretFault } from './fault.js';

/** What came of so many requests is remembered: whoever asks again, because an answer was late, gets the same. */
const KEEP = 1000;

/** Requests over HTTP that need a secret: sent from here, because nobody else can read one. */
export class Requests {
  private readonly known = new Map<string, Promise<Answer>>();
  private readonly over = new AbortController();

  constructor(private readonly secret: (name: string) => Promise<Buffer>) {}

  send(command: Command<CommandData<'host-agent-gateway', 'SendRequest'>>): Promise<Answer> {
    const known = this.known.get(command.id);
    if (known) return known;
    const own = this.sent(command);
    this.known.set(command.id, own);
    own.catch(() => this.known.delete(command.id)); // told to whoever asked; it is tried again
    if (this.known.size > KEEP) this.known.delete(this.known.keys().next().value!);
    return own;
  }

  private async sent({ id, data: { secret: name, ...request } }: Command<CommandData<'host-agent-gateway', 'SendRequest'>>): Promise<Answer> {
    let value: Buffer;
    try {
      value = await this.secret(name);
    } catch (error) {
      if (!(error instanceof SecretFault)) throw error;
      return rejected('unknown-secret', error.message, [{ field: 'data.secret', message: 'is no secret that can be read' }]);
    }
    const reply = await sendHttp(request, this.over.signal, value.toString('utf8'));
    // A service that stops has not heard what came of it: the next start sends it again.
    if (this.over.signal.aborted) throw new Error('stopped meanwhile');
    return { accepted: true, id, data: { ...masked(reply, value) } };
  }

  stop(): void {
    this.over.abort();
  }
}

/** Servers repeat what they were sent, and so do errors about it. */
function masked(reply: HttpReply, value: Buffer): HttpReply {
  const patterns = patternsOf([value]);
  return reply.kind === 'http' ? { ...reply, body: maskText(patterns, reply.body) } : { ...reply, error: maskText(patterns, reply.error) };
}
