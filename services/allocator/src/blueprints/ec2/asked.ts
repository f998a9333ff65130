interface Asked {
  /** may something have come of it that nobody knows of yet? */
  open: boolean;
  /** ms since 1970; when the token was last used, 0 = not yet */
  at: number;
}

/**
 * What this process knows of the tokens of launches that have no instance yet. It only spares time: a token that is not
 * in here, because another process made it, is taken for one that was used just before this process began.
 */
export class AskedTokens {
  private readonly tokens = new Map<string, Asked>();

  constructor(private readonly began: number) {}

  /** A token that nobody has used yet. */
  made(token: string): void {
    this.tokens.set(token, { open: false, at: 0 });
  }

  /** It is used from now on; returns what to say when the answer is there. */
  used(token: string, at: number): (came: 'nothing' | 'maybe' | 'no-more-than-before') => void {
    const before = this.tokens.get(token)?.open ?? true;
    const asked = { open: true, at };
    this.tokens.set(token, asked);
    return (came) => {
      asked.open = came === 'maybe' || (came === 'no-more-than-before' && before);
    };
  }

  /** Nothing was launched with it, for sure. */
  isClosed(token: string): boolean {
    return this.tokens.get(token)?.open === false;
  }

  /** When it was used last, or may have been. */
  lastUse(token: string): number {
    return this.tokens.get(token)?.at ?? this.began;
  }

  knows(token: string): boolean {
    return this.tokens.has(token);
  }

  forget(token: string): void {
    this.tokens.delete(token);
  }
}
