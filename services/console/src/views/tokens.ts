import { unreachable, type AnyRecorded, type TokenEvent } from '@berth/contracts';
import type { TokenView } from '@berth/client';

/** A token as folded from its events. */
export interface TokenRow extends Omit<TokenView, 'state'> {
  /** tells it from others that have had its name */
  id: string;
  sha256: string;
}

/** Tokens by name and by the hash of their secret. There are few of them, and every request asks: they are kept in memory. */
export class Tokens {
  private readonly rows = new Map<string, TokenRow>();
  /** also of those that opened something once, so that whoever still shows one is told why it does not */
  private readonly bySecret = new Map<string, TokenRow>();

  constructor(private readonly now: () => number = Date.now) {}

  apply(recorded: AnyRecorded): void {
    if (recorded.kind !== 'token') return;
    for (const event of recorded.commit.events) this.applyEvent(recorded.id, event, recorded.commit);
  }

  private applyEvent(name: string, event: TokenEvent, { at, actor }: AnyRecorded['commit']): void {
    switch (event.type) {
      case 'TokenCreated': {
        const { id, role, projects, jobs, expires, sha256 } = event.data;
        const row: TokenRow = { name, id, role, projects, jobs: jobs ?? [], sha256, created: at, createdBy: actor, expires: expires ?? null, revoked: null, lastUsed: null };
        this.rows.set(name, row);
        this.bySecret.set(sha256, row);
        return;
      }
      case 'TokenUsed':
        this.rows.get(name)!.lastUsed = event.data.at;
        return;
      case 'TokenRevoked':
        this.rows.get(name)!.revoked = at;
        return;
      default:
        unreachable(event);
    }
  }

  /** Newest first. */
  list(): TokenView[] {
    return [...this.rows.values()].reverse().map((row) => this.view(row));
  }

  get(name: string): TokenView | undefined {
    const row = this.rows.get(name);
    return row && this.view(row);
  }

  row(name: string): TokenRow | undefined {
    return this.rows.get(name);
  }

  /** The token with that secret, whether or not it opens anything any more. */
  withSecret(sha256: string): TokenRow | undefined {
    return this.bySecret.get(sha256);
  }

  state({ revoked, expires }: Pick<TokenRow, 'revoked' | 'expires'>): TokenView['state'] {
    if (revoked !== null) return 'revoked';
    return expires !== null && Date.parse(expires) <= this.now() ? 'expired' : 'live';
  }

  private view(row: TokenRow): TokenView {
    const { id: _id, sha256: _sha256, ...shown } = row;
    return { ...shown, state: this.state(row) };
  }
}
