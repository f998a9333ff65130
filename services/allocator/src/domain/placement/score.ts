/**
 * The order in which requests are served, as one number.
 *
 *   points = priority + minutes waited - host slots that its owner holds now
 *
 * A point of priority is worth a minute of waiting, and a minute is what each slot costs that the owner holds already. That
 * alone gives three things: priority (more points), a fair share (of two owners who want the same, the one who holds less
 * has more points) and freedom from starvation (every request gains a point a minute, whoever else comes: one that has
 * waited for a minute longer than another's lead is first).
 *
 * All requests age at the same rate, so the minutes waited are needed in comparisons only, where the present cancels out:
 * `askedAt` stands for them. No clock is read, and the order of two requests changes only when a priority or a number of
 * slots does. Lower is first; equal scores go by the position in the log. All are whole milliseconds, so it is exact.
 */

/** Milliseconds that a point of priority, or a slot that the owner holds, is worth. */
export const POINT = 60_000;

/** What a request has by itself, in ms. */
export const standing = (wanted: { askedAt: number; priority: number }): number => wanted.askedAt - POINT * wanted.priority;

/** The same with what its owner holds, in ms: lower is first. */
export const score = (own: number, held: number): number => own + POINT * held;
