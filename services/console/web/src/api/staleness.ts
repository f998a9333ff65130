import type { Query, QueryClient } from '@tanstack/react-query';
import type { LiveEvent } from '@berth/client';

/** What is old after an event of a kind: the first parts of paths (`keyOf`). */
const concerns: Record<LiveEvent['kind'], readonly string[]> = {
  machine: ['machines', 'hardware'],
  blueprint: ['blueprints', 'capacity'],
  resource: ['resources', 'machines', 'blueprints', 'capacity', 'quota'],
  fleet: ['quota', 'orphans'],
  lease: ['leases'],
  action: ['actions'],
  plan: ['plans'],
  build: ['builds'],
  token: ['tokens'],
  access: ['audit'],
  webhook: ['webhooks'],
  secret: ['secrets'],
  hardware: ['hardware', 'hardware-groups'],
  'hardware-group': ['hardware-groups'],
  job: ['jobs', 'hardware'],
  catalog: ['providers', 'accounts', 'environments', 'pools', 'catalogs', 'deployables', 'images'],
  image: ['images', 'versions', 'channels', 'catalogs', 'deployables', 'warehouse'],
  replication: ['warehouse'],
};

/** Of these a thing is changed by events with ids of others: a machine by those of its resources, hardware by those of its jobs, a version by those of its image. */
const ofOthers: ReadonlySet<string> = new Set(['machines', 'blueprints', 'hardware', 'versions', 'channels', 'catalogs', 'deployables', 'providers', 'accounts', 'environments', 'pools', 'warehouse']);
/** Instead of an id: whichever it is. What the catalogue says is a part of every board. */
const EVERY = '*';

/** What somebody did is in the audit, whatever it was done to; services are nobody. */
const isSomebody = (actor: string): boolean => /^(token|user):/.test(actor);

/** The first event is shown soon, and those that follow together. */
const FIRST_MS = 60;
const NEXT_MS = 700;

/**
 * Gathers what events make old and has it read again, at most so often: a thousand events in a second are one or two reads
 * of what is on the screen. What is being read when it becomes old is read once more afterwards.
 */
export class Staleness {
  /** ids of things that changed, by the first part of their paths */
  private changed = new Map<string, Set<string>>();
  private again = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private read = 0;

  /** @param page whether anybody looks: nothing is read for a hidden page */
  constructor(
    private readonly client: QueryClient,
    private readonly page: Pick<Document, 'hidden' | 'addEventListener'> = document,
  ) {
    page.addEventListener('visibilitychange', () => {
      if (!page.hidden && (this.changed.size > 0 || this.again.size > 0)) this.plan(0);
    });
  }

  note({ kind, id, actor }: LiveEvent): void {
    for (const part of concerns[kind]) this.mark(part, kind === 'catalog' ? EVERY : id);
    for (const part of ['history', ...(isSomebody(actor) ? ['audit'] : [])]) this.mark(part, id);
    this.plan(Math.max(FIRST_MS, this.read + NEXT_MS - Date.now()));
  }

  private mark(part: string, id: string): void {
    this.changed.set(part, (this.changed.get(part) ?? new Set()).add(id));
  }

  /** Everything is old. */
  all(): void {
    for (const { queryHash } of this.client.getQueryCache().getAll()) this.again.add(queryHash);
    this.plan(0);
  }

  private plan(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (!this.page.hidden) this.refresh();
    }, ms);
  }

  private refresh(): void {
    const { changed, again } = this;
    this.changed = new Map();
    this.again = new Set();
    this.read = Date.now();
    for (const query of this.client.getQueryCache().getAll()) {
      if (!again.has(query.queryHash) && !isOld(query, changed)) continue;
      if (query.state.fetchStatus === 'fetching') this.again.add(query.queryHash);
      else void this.client.invalidateQueries({ queryKey: query.queryKey, exact: true }, { cancelRefetch: false });
    }
    if (this.again.size > 0) this.plan(NEXT_MS);
  }
}

/** A list is old when anything in it may be; one thing when it is itself, or what it is made of. */
function isOld(query: Query, changed: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const [first, second] = query.queryKey as readonly [string, unknown];
  const ids = changed.get(first);
  if (!ids) return false;
  return typeof second !== 'string' || ofOthers.has(first) || ids.has(second) || ids.has(EVERY);
}
