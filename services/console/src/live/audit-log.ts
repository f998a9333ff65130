import type { NatsConnection } from 'nats';
import { unreachable, type AccessEvent, type AnyRecorded } from '@berth/contracts';
import type { AuditEntry, Page } from '@berth/client';
import { streams } from '@berth/nats';
import { decodeStored } from '../views/projection.js';
import { StreamReader } from './reader.js';

/** Which entries; `before`: position, not among them. */
export interface AuditQuery {
  limit: number;
  before: number | undefined;
  actor: string | undefined;
  what: AuditEntry['what'] | undefined;
}

/** Commits that are read at a time, from the newest back; and for one page at most. */
const WINDOW = 1000;
const MOST = 20_000;

/** Who asked over HTTP; what services do by themselves has no colon in its name. */
const isSomebody = (actor: string): boolean => /^(token|user):/.test(actor);

/**
 * Who did what and who was refused what, read from the events themselves, the newest first: they have it all, since the first
 * one. What was done before actors had names is there as far as its actor says more than `http`.
 */
export class AuditLog {
  constructor(
    private readonly connection: NatsConnection,
    private readonly now: () => number,
  ) {}

  async page({ limit, before, actor, what }: AuditQuery): Promise<Page<AuditEntry>> {
    const items: AuditEntry[] = [];
    let end = Math.min(before ?? Number.POSITIVE_INFINITY, this.now() + 1);
    for (const floor = end - MOST; end > 1 && end > floor; ) {
      const from = Math.max(1, end - WINDOW);
      for (const recorded of (await this.commits(from, end)).reverse()) {
        const entry = entryOf(recorded);
        if (!entry || (actor !== undefined && entry.actor !== actor) || (what !== undefined && entry.what !== what)) continue;
        if (items.length === limit) return { items, cursor: String(items.at(-1)!.position) };
        items.push(entry);
      }
      end = from;
    }
    return { items, cursor: end > 1 ? String(end) : null };
  }

  /** Those from a position to before another one. */
  private async commits(from: number, end: number): Promise<AnyRecorded[]> {
    const reader = new StreamReader(this.connection, streams.events.name, { after: from - 1 });
    const found: AnyRecorded[] = [];
    try {
      for (let position = from - 1; position < end - 1; ) {
        for (const stored of await reader.take(WINDOW)) {
          position = stored.sequence;
          if (position < end) found.push(decodeStored(stored));
        }
      }
    } finally {
      reader.close();
    }
    return found;
  }
}

function entryOf({ kind, id, sequence, commit }: AnyRecorded): AuditEntry | undefined {
  const base = { position: sequence, time: commit.at, actor: commit.actor, kind, id, events: commit.events.map(({ type }) => type) };
  if (kind === 'access') {
    const [event] = commit.events as AccessEvent[];
    return event && { ...base, what: whatOf(event), detail: detailOf(event) };
  }
  // Bookkeeping is no deed of anybody.
  if (!isSomebody(commit.actor) || commit.events.every(({ type }) => type === 'TokenUsed')) return undefined;
  return { ...base, what: 'did', detail: null };
}

function whatOf({ type }: AccessEvent): AuditEntry['what'] {
  switch (type) {
    case 'AccessRefused':
      return 'refused';
    case 'SignedIn':
    case 'SignedOut':
    case 'LinkMade':
      return 'signed-in';
    case 'DeadLetterRetried':
    case 'DeadLetterDropped':
      return 'did';
    default:
      return unreachable(type);
  }
}

function detailOf(event: AccessEvent): string {
  switch (event.type) {
    case 'AccessRefused': {
      const { asked, path, reason, address, count } = event.data;
      return `${asked}${path === undefined ? '' : ` (${path})`} from ${address}${count > 1 ? `, ${count} times` : ''}: ${reason}`;
    }
    case 'SignedIn':
      return `as ${event.data.role} by ${event.data.by} from ${event.data.address}, until ${event.data.until}`;
    case 'SignedOut':
      return 'ended the session';
    case 'LinkMade':
      return `made a link to sign in with, until ${event.data.until}`;
    case 'DeadLetterRetried':
      return `had dead letter ${event.data.letter} sent again, ${event.data.type} for ${event.data.service}: ${event.data.outcome}`;
    case 'DeadLetterDropped':
      return `dropped dead letter ${event.data.letter}, ${event.data.type} for ${event.data.service}`;
    default:
      return unreachable(event);
  }
}
