import { events, writers, type Commit, type Kind, type Recorded } from '@berth/contracts';
import { UnreadableError } from './store.js';

const known = new Map<string, ReadonlySet<string>>(Object.entries(events).map(([kind, types]) => [kind, new Set(Object.keys(types))]));
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export const encodeCommit = (commit: Commit): Uint8Array => encoder.encode(JSON.stringify(commit));

/** Takes `berth.evt.<kind>.<id>` apart; undefined for any other subject. */
export function streamOf(subject: string): { kind: Kind; id: string } | undefined {
  if (!subject.startsWith('berth.evt.')) return undefined;
  const dot = subject.indexOf('.', 10);
  const kind = subject.slice(10, dot);
  return kind in writers ? { kind: kind as Kind, id: subject.slice(dot + 1) } : undefined;
}

/**
 * Reads a stored commit. Its events passed their schemas when they were written, so only what could break a fold is
 * looked at here: replay speed depends on it.
 *
 * @throws {UnreadableError} not a commit, or an event type that this version doesn't know
 */
export function decodeCommit(subject: string, sequence: number, data: Uint8Array): Recorded {
  const stream = streamOf(subject);
  if (!stream) throw new UnreadableError(sequence, `no kind for subject ${subject}`);
  let commit: Commit;
  try {
    commit = JSON.parse(decoder.decode(data)) as Commit;
  } catch (error) {
    throw new UnreadableError(sequence, `${subject} is not JSON (${(error as Error).message})`);
  }
  const types = known.get(stream.kind)!;
  if (!Array.isArray(commit.events)) throw new UnreadableError(sequence, `${subject} has no events`);
  for (const event of commit.events) if (!types.has(event.type)) throw new UnreadableError(sequence, `unknown event ${event.type} on ${subject}`);
  return { ...stream, sequence, commit };
}
