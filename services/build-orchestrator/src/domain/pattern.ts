/**
 * Does a name match a pattern? `?` stands for one character and `*` for any number of them, both inside one folder; `**`
 * stands for any number of folders. Linear in the length of both for each star: no pattern takes long.
 */
export function matches(pattern: string, name: string): boolean {
  return folders(pattern.split('/'), name.split('/'));
}

function folders(pattern: readonly string[], name: readonly string[]): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let from = 0;
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === '**') {
      star = p++;
      from = n;
    } else if (p < pattern.length && part(pattern[p]!, name[n]!)) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++from;
    } else return false;
  }
  while (pattern[p] === '**') p++;
  return p === pattern.length;
}

function part(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let from = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      from = n;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++from;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
