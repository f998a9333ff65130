import { headers as natsHeaders, NatsError, type JetStreamManager, type NatsConnection, type StoredMsg } from 'nats';
import type { DeadLetterRetry, DeadLetterView, Page } from '@berth/client';
import { answer as answerSchema, commandEnvelope, deadHeaders, fieldErrors, RETRY_OF, services, subjects, summary } from '@berth/contracts';
import { isOutage, requestsOf, UnavailableError, type Requests } from '@berth/event-store';
import { streams } from '@berth/nats';

/** JetStream errors 10037 and 10043: no message of that sequence. */
const NO_MESSAGE = new Set([10037, 10043]);
/** Read at a time: enough for a page in a few turns, few enough for a server that is busy. */
const TURN = 50;
/** Looked at for one page, however few of them are wanted. */
const MOST_SEEN = 5000;
const ANSWER_MS = 2000;
const READ_MS = 2000;
/** Of a command, in a list. */
const MOST_SHOWN = 4096;
const decoder = new TextDecoder();

/** What is asked of a list. */
export interface DeadLetterQuery {
  service?: string | undefined;
  type?: string | undefined;
  limit: number;
  /** sequence that the page begins below */
  before?: number | undefined;
}

/** Trying again can't help: it would come back as it is. */
export class NotRetryable extends Error {}

/** Commands that could not be carried out, as BERTH_DEAD keeps them. */
export class DeadLetters {
  private readonly requests: Requests;
  private known: JetStreamManager | undefined;

  constructor(private readonly connection: NatsConnection) {
    this.requests = requestsOf(connection);
  }

  /** The newest first. */
  async list({ service, type, limit, before }: DeadLetterQuery): Promise<Page<DeadLetterView>> {
    const manager = await this.manager();
    const { state } = await manager.streams.info(streams.dead.name, { deleted_details: true });
    const gone = new Set(state.deleted);
    const items: DeadLetterView[] = [];
    const first = Math.max(1, state.first_seq); // 0 of a stream that has had none
    let next = Math.min(before ?? Number.POSITIVE_INFINITY, state.last_seq + 1) - 1;
    for (let seen = 0; seen < MOST_SEEN && items.length < limit && next >= first; ) {
      const turn: number[] = [];
      for (; next >= first && turn.length < TURN; next--) if (!gone.has(next)) turn.push(next);
      seen += turn.length;
      const read = await Promise.all(turn.map((sequence) => this.read(sequence)));
      for (const stored of read) {
        if (!stored) continue;
        const view = viewOf(stored);
        if ((service !== undefined && view.service !== service) || (type !== undefined && view.type !== type)) continue;
        if (items.length === limit) return { items, cursor: items.at(-1)!.id };
        items.push(view);
      }
    }
    return { items, cursor: next >= first ? String(next + 1) : null };
  }

  /** One of them; undefined when there is none of that number any more, or never was. */
  async get(id: string): Promise<DeadLetterView | undefined> {
    const stored = await this.read(Number(id));
    return stored && viewOf(stored);
  }

  /** Whether there was one of that number: what is gone already may be asked for again. */
  async was(id: string): Promise<boolean> {
    const { state } = await (await this.manager()).streams.info(streams.dead.name);
    return Number(id) >= 1 && Number(id) <= state.last_seq;
  }

  /**
   * Sends it to its service once more, as it came and under its own id, and removes it here once it is stored there.
   * Twice has one effect: the id is the same.
   *
   * @returns undefined when there is none of that number
   * @throws {NotRetryable} nobody could read it
   * @throws {UnavailableError} it is unknown whether it was stored; it is still here
   */
  async retry(id: string, actor: string): Promise<(DeadLetterRetry & { letter: DeadLetterView }) | undefined> {
    const stored = await this.read(Number(id));
    if (!stored) return undefined;
    const letter = viewOf(stored);
    const command = readable(stored, letter);
    const subject = subjects.command(letter.service as (typeof services)[number], letter.type);
    const manager = await this.manager();
    const { last_seq: reached } = (await manager.streams.info(streams.commands.name)).state;
    const headers = natsHeaders();
    headers.set(RETRY_OF, id);
    headers.set('Berth-Retried-By', actor);
    const told = await this.send(subject, stored.data, headers);
    // The stream acknowledges nothing (ADR 2): an answer says that it was carried out, else it must be found waiting there.
    if (!told && !(await this.waits(subject, reached + 1, id))) {
      throw new UnavailableError(`it is unknown whether ${letter.type} was stored for ${letter.service} again, so dead letter ${id} is kept; retry it, which has one effect`);
    }
    await this.drop(id);
    return { id, command, letter, ...(told ?? { outcome: 'waiting', code: null, message: null }) };
  }

  /** Removes it; false when there was none any more. */
  async drop(id: string): Promise<boolean> {
    try {
      return await (await this.manager()).streams.deleteMessage(streams.dead.name, Number(id), false);
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** Made at the first question: the bus may be away at the start. */
  private async manager(): Promise<JetStreamManager> {
    this.known ??= await this.connection.jetstreamManager({ checkAPI: false, timeout: READ_MS });
    return this.known;
  }

  private async read(sequence: number): Promise<StoredMsg | undefined> {
    try {
      return await (await this.manager()).streams.getMessage(streams.dead.name, { seq: sequence });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  private async send(subject: string, data: Uint8Array, headers: ReturnType<typeof natsHeaders>): Promise<Pick<DeadLetterRetry, 'outcome' | 'code' | 'message'> | undefined> {
    try {
      const reply = await this.requests.ask(subject, data, { timeoutMs: ANSWER_MS, headers });
      const answer = answerSchema.parse(JSON.parse(decoder.decode(reply.data)));
      return answer.accepted ? { outcome: 'accepted', code: null, message: null } : { outcome: 'refused', code: answer.code, message: answer.message };
    } catch (error) {
      if (isOutage(error)) return undefined;
      throw error;
    }
  }

  /** Whether our copy waits among the commands, from a sequence on. */
  private async waits(subject: string, from: number, id: string): Promise<boolean> {
    for (let sequence = from; ; ) {
      const reply = await this.requests.ask(`$JS.API.STREAM.MSG.GET.${streams.commands.name}`, JSON.stringify({ seq: sequence, next_by_subj: subject }), { timeoutMs: READ_MS });
      const { message } = JSON.parse(decoder.decode(reply.data)) as { message?: { seq: number; hdrs?: string } };
      if (!message) return false;
      const lines = Buffer.from(message.hdrs ?? '', 'base64').toString('utf8').split('\r\n');
      if (lines.includes(`${RETRY_OF}: ${id}`)) return true;
      sequence = message.seq + 1;
    }
  }
}

const isMissing = (error: unknown): boolean => error instanceof NatsError && NO_MESSAGE.has(error.api_error?.err_code ?? 0);

function viewOf({ seq, subject, time, header, data }: StoredMsg): DeadLetterView {
  // berth.dead.<service>.<Type>
  const [, , service = '', type = ''] = subject.split('.');
  return {
    id: String(seq), service, type, at: time.toISOString(),
    reason: header.get(deadHeaders.reason), tries: Number(header.get(deadHeaders.tries)) || 1, command: shown(data),
  };
}

/** The body as JSON where it is that and small, else the beginning of its text. */
function shown(data: Uint8Array): unknown {
  const text = decoder.decode(data.subarray(0, MOST_SHOWN));
  if (data.length > MOST_SHOWN) return `${text}… (${data.length} bytes)`;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // that is why it is here
  }
}

/** Id of the command in a dead letter. */
function readable({ data }: StoredMsg, { service, type }: DeadLetterView): string {
  if (!(services as readonly string[]).includes(service)) throw new NotRetryable(`There is no service ${JSON.stringify(service)} to send it to.`);
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(data));
  } catch (error) {
    throw new NotRetryable(`It is not JSON (${(error as Error).message}), so it would come back: drop it, and send the command as it should be.`);
  }
  const envelope = commandEnvelope.safeParse(json);
  if (!envelope.success) throw new NotRetryable(`Its envelope is wrong (${summary(fieldErrors(envelope.error))}), so it would come back: drop it, and send the command as it should be.`);
  if (envelope.data.type !== type) throw new NotRetryable(`It says that it is ${JSON.stringify(envelope.data.type)} but was sent as ${JSON.stringify(type)}, so it would come back: drop it, and send the command as it should be.`);
  return envelope.data.id;
}
