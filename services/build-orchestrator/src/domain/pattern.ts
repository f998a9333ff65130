/**
 * Does a name match a pattern? `?` stands for one character and `*` for any number of them, both inside one folder; `**`
 * stands for any number of folders. Linear in the length of both for each star: no pattern takes long.
 */
export function matches(pattern: string, name: string): boolean {
  return fits(pattern.split('/'), name.split('/'), '**', (one, folder) => fits(one, folder, '*', (sign, letter) => sign === '?' || sign === letter));
}

/** Does what is in `name` follow what is in `pattern`, where `star` stands for any number of them and each other for one that it is `like`? */
function fits(pattern: ArrayLike<string>, name: ArrayLike<string>, star: string, like: (one: string, other: string) => boolean): boolean {
  let p = 0;
  let n = 0;
  let last = -1;
  let from = 0;
  while (n < name.length) {
    if (pattern[p] === star) {
      last = p++;
      from = n;
    } else if (p < pattern.length && like(pattern[p]!, name[n]!)) {
      p++;
      n++;
    } else if (last >= 0) {
      p = last + 1;
      n = ++from;
    } else return false;
  }
  while (pattern[p] === star) p++;
  return p === pattern.length;
}
