/** Words as one line of a POSIX shell that stands for exactly these words. */
export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ');

function shellWord(word: string): string {
  // Bare only where nothing is special to any shell; a leading `~` or `=` is to some.
  return /^[A-Za-z0-9_/][A-Za-z0-9_./:@%+,-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
