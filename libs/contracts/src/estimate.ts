/** A part of something that takes time: what it took before, and which parts have to be over first. */
export interface Part {
  /** milliseconds; 0 when it is over */
  ms: number;
  /** numbers of others, counted from 0; never round in a circle */
  needs: readonly number[];
}

/** Milliseconds that the longest way through all parts takes: parts that need nothing of each other go side by side. */
export function longestWay(parts: readonly Part[]): number {
  const known: number[] = [];
  const until = (index: number): number => {
    const { ms, needs } = parts[index]!;
    return (known[index] ??= ms + Math.max(0, ...needs.map(until)));
  };
  return Math.round(Math.max(0, ...parts.map((_, index) => until(index))));
}
