/** A word is a run of letters, marks and digits of any script; apostrophes and hyphens may stand inside it. */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu;

/** @returns {string[]} the words of a text, in order */
export function words(text) {
  return text.match(WORD) ?? [];
}

/** Lines as `wc -l` counts them, plus a last one without an end. */
export function countLines(text) {
  if (text === '') return 0;
  const ends = text.split('\n').length - 1;
  return text.endsWith('\n') ? ends : ends + 1;
}

/** @returns {{lines: number, words: number, bytes: number}} */
export function count(text) {
  return { lines: countLines(text), words: words(text).length, bytes: Buffer.byteLength(text) };
}

/** Sums counts, for the total of several files. */
export function total(counts) {
  return counts.reduce((sum, one) => ({ lines: sum.lines + one.lines, words: sum.words + one.words, bytes: sum.bytes + one.bytes }), { lines: 0, words: 0, bytes: 0 });
}
