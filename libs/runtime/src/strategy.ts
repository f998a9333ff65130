import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { ACK_WAIT_MS, WorkQueue } from './work-queue.js';
import { lastValueFrom } from 'rxjs';
import { Events, headers as natsHeaders, type Msg, type NatsConnection, type Subscription } from 'nats';
import {
  commandEnvelope, commands, deadHeaders, fieldErrors, rejected, RETRY_OF, subjects, summary, type Answer, type CommandEnvelope, type ServiceName,
} from '@berth/contracts';
import { Metrics, type CommandOutcome } from './metrics/metrics.js';
import { TRACE_HEADER, type Tracing } from './tracing/tracing.js';
import type { ZodType } from 'zod';
import type { Logger } from 'pino';

/** A command whose envelope and data have passed their schemas. Handlers get this and nothing else. */
export interface Command<D = unknown> {
  id: string;
  type: string;
  data: D;
  actor: string;
  after: number;
  /** position as of which the asker has read what this changes, if it says so */
  base?: number | undefined;
}

const MAX_DELIVER = 8;
/** What failed waits so long before it is tried again, twice as long each time, and never longer than the other. */
const RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;
/** Answers kept for askers whose message reaches us after the command itself. */
const KEEP_ANSWERS = 4096;
const KEEP_ASKERS_MS = 60_000;
const LATE_ASKER_MS = 500;
const decoder = new TextDecoder();

/**
 * Nest's transport on JetStream: a durable push consumer with a queue group per service, so several processes share the work.
 * A message is acknowledged once its effect is stored. Unreadable input is answered and dead-lettered, never retried.
 *
 * The stream stores a command without its reply subject, so the strategy also listens on the plain subject and remembers
 * who asked (ADR 2).
 */
export class JetStreamStrategy extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  private readonly askers = new Map<string, { reply: string; at: number }[]>();
  private readonly answers = new Map<string, { answer: Answer; at: number }>();
  private readonly running = new Set<Promise<void>>();
  private readonly underWay = new Map<string, Promise<Answer>>();
  private readonly queue: WorkQueue;
  private subscriptions: Subscription[] = [];
  private sweep: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly service: ServiceName,
    private readonly connection: NatsConnection,
    private readonly log: Logger,
    private readonly metrics = new Metrics(),
    private readonly tracing?: Tracing,
    private readonly retryMs = RETRY_MS,
  ) {
    super();
    this.queue = new WorkQueue(connection, service, log);
  }

  listen(callback: (error?: unknown) => void): void {
    this.begin().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  private async begin(): Promise<void> {
    const { filter, deliver } = this.queue;
    const asks = this.connection.subscribe(filter, { callback: (error, message) => (error ? this.log.error(error) : this.noteAsker(message)) });
    const work = this.connection.subscribe(deliver, { queue: this.service, callback: (error, message) => (error ? this.log.error(error) : this.take(message)) });
    this.subscriptions = [asks, work];
    this.sweep = setInterval(() => this.forgetAskers(), KEEP_ASKERS_MS / 4);
    this.sweep.unref();
    await this.queue.ensure();
    void this.queue.recover();
    void (async () => {
      for await (const status of this.connection.status()) {
        if (this.closed) return;
        // The server may have come back without its storage: the consumer must be there again.
        if (status.type !== Events.Reconnect) continue;
        await this.queue.ensure().catch((error: unknown) => this.log.warn({ error }, 'consumer not confirmed'));
        void this.queue.recover();
      }
    })();
  }

  private noteAsker(message: Msg): void {
    if (!message.reply) return;
    const read = readEnvelope(message.data, message.subject);
    if ('accepted' in read) {
      this.connection.publish(message.reply, JSON.stringify(read));
      return;
    }
    // Asked again: the stream's copy may be dropped as a repeat, so this answer is the only one. A refusal holds only for
    // an asker who came late: what was refused before may be right by now, and whoever retries a dead letter knows the refusal.
    const known = this.answers.get(read.id);
    const late = message.headers?.has(RETRY_OF) !== true;
    if (known && (known.answer.accepted || (late && Date.now() - known.at < LATE_ASKER_MS))) {
      this.connection.publish(message.reply, JSON.stringify(known.answer));
      return;
    }
    const list = this.askers.get(read.id);
    const asker = { reply: message.reply, at: Date.now() };
    if (list) list.push(asker);
    else this.askers.set(read.id, [asker]);
  }

  private forgetAskers(): void {
    const old = Date.now() - KEEP_ASKERS_MS;
    for (const [id, list] of this.askers) {
      if (list[list.length - 1]!.at > old) return; // oldest first: the rest is younger
      this.askers.delete(id);
    }
  }

  private take(message: Msg): void {
    const running: Promise<void> = this.carryOut(message)
      .catch((error: unknown) => this.log.error({ error, subject: message.subject }, 'command handling failed'))
      .finally(() => this.running.delete(running));
    this.running.add(running);
  }

  private async carryOut(message: Msg): Promise<void> {
    const acknowledge = message.reply!;
    // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.…
    const deliveries = Number(acknowledge.split('.')[4]);
    const envelope = readEnvelope(message.data, message.subject);
    const type = knownType(this.service, message.subject);
    if ('accepted' in envelope) {
      this.count(type, 'refused');
      this.bury(message, envelope.message, deliveries);
      this.connection.publish(acknowledge, '+TERM');
      return;
    }
    const command = readCommand(this.service, envelope);
    if ('accepted' in command) {
      this.count(type, 'refused');
      this.answer(envelope.id, command);
      this.bury(message, `${command.code}: ${command.message}`, deliveries, envelope.id);
      this.connection.publish(acknowledge, '+TERM');
      return;
    }
    const busy = setInterval(() => this.connection.publish(acknowledge, '+WPI'), ACK_WAIT_MS / 2);
    const done = this.metrics.commandDuration.startTimer({ service: this.service, type });
    try {
      const answer = await this.traced(message, command, () => this.handle(command));
      this.count(type, answer.accepted ? 'accepted' : 'refused');
      if (this.log.isLevelEnabled('debug')) this.log.debug({ commandId: command.id, type, actor: command.actor, ...outcomeOf(answer) }, 'answered');
      this.answer(command.id, answer);
      this.connection.publish(acknowledge, '+ACK');
    } catch (error) {
      this.count(type, 'failed');
      // Not a refusal: something of ours failed, so the effect is unknown. It is tried again, and in the end kept for people to see.
      this.log.warn({ error, commandId: command.id, type: command.type, deliveries }, 'command failed, will be tried again');
      if (deliveries >= MAX_DELIVER) {
        this.bury(message, (error as Error).message, deliveries, command.id);
        this.answer(command.id, rejected('unavailable', `${command.type} could not be carried out: ${(error as Error).message}`));
        this.connection.publish(acknowledge, '+TERM');
      } else this.connection.publish(acknowledge, `-NAK {"delay": ${Math.min(this.retryMs * 2 ** deliveries, LONGEST_RETRY_MS) * 1_000_000}}`);
    } finally {
      done();
      clearInterval(busy);
    }
  }

  /** Within the trace of whoever asked; the stream keeps it with the command. */
  private traced(message: Msg, command: Command, run: () => Promise<Answer>): Promise<Answer> {
    if (!this.tracing) return run();
    const parent = message.headers?.get(TRACE_HEADER);
    return this.tracing.span({ name: `${this.service} ${command.type}`, kind: 'consumer', parent: parent === '' ? undefined : parent, attributes: { 'berth.command': command.id, 'berth.actor': command.actor } }, async (span) => {
      const answer = await run();
      span.set({ 'berth.accepted': answer.accepted, ...(!answer.accepted && { 'berth.code': answer.code }) });
      return answer;
    });
  }

  private count(type: string, outcome: CommandOutcome): void {
    this.metrics.commands.inc({ service: this.service, type, outcome });
  }

  /** What is asked again while it is being carried out, by an asker who got impatient, is carried out once. */
  private handle(command: Command): Promise<Answer> {
    const known = this.underWay.get(command.id);
    if (known) return known;
    const handler = this.messageHandlers.get(command.type);
    if (!handler) throw new Error(`${this.service} has no handler for ${command.type}`);
    const own = Promise.resolve(handler(command))
      .then((result) => lastValueFrom<Answer>(this.transformToObservable(result as Promise<Answer>)))
      .finally(() => this.underWay.delete(command.id));
    this.underWay.set(command.id, own);
    return own;
  }

  private answer(id: string, answer: Answer): void {
    this.answers.set(id, { answer, at: Date.now() });
    if (this.answers.size > KEEP_ANSWERS) this.answers.delete(this.answers.keys().next().value!);
    const payload = JSON.stringify(answer);
    for (const asker of this.askers.get(id) ?? []) this.connection.publish(asker.reply, payload);
    this.askers.delete(id);
  }

  /** Keeps what can't be carried out, with the reason, where the console shows it. */
  private bury(message: Msg, reason: string, tries: number, commandId?: string): void {
    const type = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    const headers = natsHeaders();
    headers.set(deadHeaders.reason, reason.replace(/[\r\n]+/g, ' '));
    headers.set(deadHeaders.subject, message.subject);
    headers.set(deadHeaders.tries, String(tries));
    // What nobody could read may hold anything, and its reason a piece of it.
    this.log.warn({ commandId, type: knownType(this.service, message.subject), reason: commandId === undefined ? 'it can not be read' : reason, tries }, 'a command was given up: it is a dead letter');
    this.connection.publish(subjects.dead(this.service, type), message.data, { headers });
    this.metrics.buried.inc({ service: this.service, type: knownType(this.service, message.subject) });
  }

  /** Idempotent: stops taking commands and waits for those under way. */
  async close(): Promise<void> {
    this.closed = true;
    this.queue.close();
    clearInterval(this.sweep);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    this.subscriptions = [];
    await Promise.all(this.running);
    if (!this.connection.isClosed()) await this.connection.flush();
  }

  on(): never {
    throw new Error('the JetStream strategy has no events of its own');
  }

  unwrap<T>(): T {
    return this.connection as T;
  }
}

function readEnvelope(data: Uint8Array, subject: string): CommandEnvelope | Extract<Answer, { accepted: false }> {
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(data));
  } catch (error) {
    return rejected('invalid-json', `The command is not JSON: ${(error as Error).message}.`, [{ field: '(the whole)', message: 'send {"id","type","data"} as JSON' }]);
  }
  const parsed = commandEnvelope.safeParse(json);
  if (!parsed.success) {
    const errors = fieldErrors(parsed.error);
    return rejected('invalid-command', `The command's envelope is wrong: ${summary(errors)}`, errors);
  }
  const type = subject.slice(subject.lastIndexOf('.') + 1);
  if (parsed.data.type !== type) {
    const errors = [{ field: 'type', message: `is ${JSON.stringify(parsed.data.type)}, but the subject says ${JSON.stringify(type)}: make them agree` }];
    return rejected('invalid-command', `The command's envelope is wrong: ${summary(errors)}`, errors);
  }
  return parsed.data;
}

/** Of an answer what a line in the log says: the data of either side is not for there. */
const outcomeOf = (answer: Answer): object => (answer.accepted ? { id: answer.id, position: answer.position } : { code: answer.code });

/** Of a command of ours its name: what anybody may write into a subject is no label. */
function knownType(service: ServiceName, subject: string): string {
  const type = subject.slice(subject.lastIndexOf('.') + 1);
  return Object.hasOwn(commands[service], type) ? type : 'unknown';
}

function readCommand(service: ServiceName, envelope: CommandEnvelope): Command | Extract<Answer, { accepted: false }> {
  const schemas: Record<string, ZodType> = commands[service];
  const schema = Object.hasOwn(schemas, envelope.type) ? schemas[envelope.type] : undefined;
  if (!schema) {
    return rejected('unknown-command', `${service} has no command ${envelope.type}.`, [{ field: 'type', message: `use one of ${Object.keys(schemas).join(', ')}` }]);
  }
  const data = schema.safeParse(envelope.data);
  if (!data.success) {
    const errors = fieldErrors(data.error, 'data');
    return rejected('invalid-data', `${envelope.type} is refused: ${summary(errors)}`, errors);
  }
  return { id: envelope.id, type: envelope.type, data: data.data, actor: envelope.actor ?? 'bus', after: envelope.after ?? 0, base: envelope.base };
}
