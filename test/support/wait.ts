/** How long and how often a condition is tried. */
export interface Patience {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Tries `check` until it returns without throwing (and not `false`), and gives what it returned.
 * When the time is up, the last reason is in the error, so that a failing test says what it still saw.
 */
export async function eventually<T>(check: () => T | Promise<T>, { timeoutMs = 5000, everyMs = 10 }: Patience = {}): Promise<Exclude<T, false>> {
  const start = performance.now();
  for (;;) {
    let reason: unknown;
    try {
      const result = await check();
      if (result !== false) return result as Exclude<T, false>;
      reason = new Error('the condition is false');
    } catch (error) {
      reason = error;
    }
    if (performance.now() - start >= timeoutMs) {
      const said = reason instanceof Error ? reason.message : String(reason);
      throw new Error(`still not so after ${Math.round(performance.now() - start)} ms: ${said}`, { cause: reason });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
