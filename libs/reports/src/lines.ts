/** A line is not looked at beyond so many characters. */
const LOOK = 8192;

/** The lines of a text, one at a time: a list of them could take forty times the memory of the text. Numbered from 1. */
export function* lines(text: string): Generator<{ line: string; number: number }> {
  let start = 0;
  for (let number = 1; start < text.length; number++) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    const cut = text.slice(start, Math.min(end, start + LOOK));
    yield { line: cut.endsWith('\r') ? cut.slice(0, -1) : cut, number };
    start = end + 1;
  }
}
