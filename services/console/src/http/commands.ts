import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { uuid, type CommandInput, type CommandType, type ServiceName } from '@berth/contracts';
import { UnavailableError } from '@berth/event-store';
import type { Follower, Runtime } from '@berth/runtime';
import type { Reads } from '../views/reads.js';
import { actorNow } from '../access/principal.js';
import { HttpProblem, problemOf } from './problem.js';
import { baseNow, noteWritten } from './written.js';

/** How long an asker over HTTP is kept waiting for a service. */
const PATIENCE_MS = 12_000;
/** The console's own views follow in milliseconds; a write is not held up by them for longer. */
const CATCH_UP_MS = 2000;

/** The way in: every write is a command on the bus. */
export class Commands {
  constructor(
    private readonly runtime: Runtime,
    private readonly follower: Follower,
    private readonly reads: Reads,
  ) {}

  /**
   * Sends a command and waits for its answer, and until the views show its effect.
   *
   * @param how.prefix what stands in a refusal before the fields of the body
   * @param how.after position that the service must have seen before it decides
   * @throws {HttpProblem} refused, or no answer
   */
  async send<S extends ServiceName, T extends CommandType<S>>(service: S, type: T, data: unknown, id: string, how: { prefix?: string; patienceMs?: number; after?: number } = {}): Promise<{ id: string; position: number; data: Record<string, unknown> }> {
    let answer;
    try {
      // Checked by the service alone, which knows more than its schema: one check, one wording.
      answer = await this.runtime.bus.command(service, type, data as CommandInput<S, T>, { id, actor: actorNow(), base: baseNow(), patienceMs: how.patienceMs ?? PATIENCE_MS, ...(how.after !== undefined && { after: how.after }) });
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      throw new HttpProblem('unavailable', `The ${service} did not answer, so it is unknown whether this was carried out: send it again with Idempotency-Key ${id}, which has one effect.`);
    }
    if (!answer.accepted) throw problemOf(answer, how.prefix);
    if (answer.position !== undefined) {
      this.reads.noteWrite(answer.position);
      noteWritten(answer.position);
      await Promise.race([this.follower.reached(answer.position), new Promise((resolve) => setTimeout(resolve, CATCH_UP_MS).unref())]);
    }
    return { id: answer.id, position: answer.position ?? 0, data: answer.data ?? {} };
  }
}

/** Id of the command behind a request: the asker's `Idempotency-Key`, else one of ours. */
export function commandId(request: FastifyRequest): string {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return randomUUID();
  const parsed = uuid.safeParse(key);
  if (parsed.success) return parsed.data.toLowerCase();
  throw new HttpProblem('invalid-data', 'The request is refused: Idempotency-Key is not a UUID.', [{ field: 'Idempotency-Key', message: 'must be a UUID in canonical text form' }]);
}

/** Answers a write: the id of what it made or changed, and where that is. */
export function accepted<B extends { id: string }>(reply: FastifyReply, status: 201 | 202, location: string, body: B): B {
  reply.code(status).header('Location', `/api/v1/${location}`);
  return body;
}
