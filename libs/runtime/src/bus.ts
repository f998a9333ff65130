import { headers as natsHeaders, type NatsConnection } from 'nats';
import { answer as answerSchema, subjects, type Answer, type CommandInput, type CommandType, type ServiceName } from '@berth/contracts';
import { isOutage, requestsOf, UnavailableError } from '@berth/event-store';
import { currentTrace } from './tracing/context.js';
import { TRACE_HEADER } from './tracing/tracing.js';

const decoder = new TextDecoder();

/** Sends commands to services and waits for their answers. */
export interface Bus {
  /**
   * Sends one command until it is answered: the same id is sent again when no answer comes, and has one effect.
   *
   * @param options.id made by the asker; derive it from what caused the command, so that a repeat is the same command
   * @param options.after position that the receiver must have seen before it decides
   * @param options.base position as of which the asker has read what this changes: refused when somebody has said that anew since
   * @param options.patienceMs how long to go on (default: for ever, for commands that follow from events)
   * @throws {UnavailableError} not answered within `patienceMs`, or the connection was closed
   */
  command<S extends ServiceName, T extends CommandType<S>>(
    service: S,
    type: T,
    data: CommandInput<S, T>,
    options: { id: string; actor?: string; after?: number; base?: number | undefined; patienceMs?: number },
  ): Promise<Answer>;
}

/** How long one try waits: services answer in milliseconds, a probe of a host within ten seconds. */
const TRY_MS = 3000;

export function natsBus(connection: NatsConnection): Bus {
  const requests = requestsOf(connection);
  return {
    async command(service, type, data, options) {
      const subject = subjects.command(service, type);
      const payload = JSON.stringify({ id: options.id, type, data, actor: options.actor, after: options.after, base: options.base });
      const trace = currentTrace();
      const headers = trace === undefined ? undefined : natsHeaders();
      headers?.set(TRACE_HEADER, trace!);
      const end = Date.now() + (options.patienceMs ?? Number.POSITIVE_INFINITY);
      for (let tries = 0; ; tries++) {
        try {
          const reply = await requests.ask(subject, payload, { timeoutMs: Math.min(TRY_MS, Math.max(1, end - Date.now())), ...(headers && { headers }) });
          return answerSchema.parse(JSON.parse(decoder.decode(reply.data)));
        } catch (error) {
          if (!isOutage(error)) throw error;
          if (connection.isClosed() || Date.now() >= end) throw new UnavailableError(`${service} did not answer ${type}`, { cause: error });
          // Stored once more, still one effect. Without a message id: the server would drop what is asked again on purpose.
          await new Promise((resolve) => setTimeout(resolve, Math.min(100 * 2 ** tries, 2000)));
        }
      }
    },
  };
}
