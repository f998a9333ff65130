/**
 * How Windows takes things apart, written down from its documentation and from nothing of ours.
 *
 * A command line (CommandLineToArgvW and the C runtime): blanks separate, but not within quotes; 2n backslashes and a quote are n
 * backslashes and a quote that begins or ends a part in quotes; 2n+1 are n backslashes and a quote as such; other backslashes are
 * themselves. The first word is a program and knows no backslashes.
 */
export function argvOf(line: string): string[] {
  const words: string[] = [];
  const program = /^(?:"([^"]*)"|([^ \t]*))/.exec(line);
  words.push(program?.[1] ?? program?.[2] ?? '');
  let at = program?.[0].length ?? 0;
  for (;;) {
    while (line[at] === ' ' || line[at] === '\t') at++;
    if (at >= line.length) return words;
    let word = '';
    let quoted = false;
    for (; at < line.length && (quoted || (line[at] !== ' ' && line[at] !== '\t')); ) {
      let slashes = 0;
      while (line[at] === '\\') {
        slashes++;
        at++;
      }
      if (line[at] !== '"') {
        word += '\\'.repeat(slashes);
        if (slashes === 0) word += line[at++];
        continue;
      }
      word += '\\'.repeat(Math.floor(slashes / 2));
      if (slashes % 2 === 1) word += '"';
      else if (quoted && line[at + 1] === '"') {
        // Two quotes within quotes are one as such.
        word += '"';
        at++;
      } else quoted = !quoted;
      at++;
    }
    words.push(word);
  }
}

const SINGLE = /['\u2018\u2019\u201a\u201b]/;

/** The text of a PowerShell literal in single quotes: any of four characters is a quote, and two of them are one as such. */
export function literalOf(source: string): string {
  if (!SINGLE.test(source[0] ?? '')) throw new Error(`no literal: ${source}`);
  let text = '';
  for (let at = 1; at < source.length; at++) {
    const char = source[at] ?? '';
    if (!SINGLE.test(char)) {
      text += char;
      continue;
    }
    if (at === source.length - 1) return text;
    if (!SINGLE.test(source[at + 1] ?? '')) throw new Error(`it ends before ${source.slice(at + 1)}`);
    text += source[++at];
  }
  throw new Error('it does not end');
}

/** The literals in single quotes of a PowerShell text, each from its quote to its quote. */
export function literalsOf(source: string): string[] {
  return source.match(/['\u2018\u2019\u201a\u201b](?:[^'\u2018\u2019\u201a\u201b]|['\u2018\u2019\u201a\u201b]{2})*['\u2018\u2019\u201a\u201b]/g) ?? [];
}
