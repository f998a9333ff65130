import { words } from './count.js';

/**
 * The most frequent words, without regard to case. Equal counts are in alphabetical order, so that the answer never
 * depends on where a word stood.
 * @returns {{word: string, count: number}[]}
 */
export function mostFrequent(text, limit = 10) {
  const counts = new Map();
  for (const word of words(text.toLowerCase())) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .map(([word, count]) => ({ word, count }))
    .sort((one, other) => other.count - one.count || (one.word < other.word ? -1 : 1))
    .slice(0, limit);
}
