/** Shorter ones would be found everywhere. */
export const LEAST_BYTES = 4;
/** Columns at which base64 is broken into lines: by base64(1), and by PEM and OpenSSL. */
const BASE64_WIDTHS = [76, 64];

/**
 * Everything that a secret looks like in output: itself, each of its lines, and those in base64, percent-encoded, inside a JSON
 * string and inside quotes of a shell.
 */
export function formsOf(value: Buffer): Buffer[] {
  const found = new Map<string, Buffer>();
  for (const piece of [value, ...linesOf(value)]) {
    for (const form of [piece, ...base64Forms(piece), ...percentForms(piece), ...textForms(piece)]) {
      if (form.length >= LEAST_BYTES) found.set(form.toString('latin1'), form);
    }
  }
  return [...found.values()];
}

/** Without what only lays them out, so that they are found in other places too. */
function linesOf(value: Buffer): Buffer[] {
  const text = value.toString('latin1');
  if (!text.includes('\n')) return [];
  return text.split('\n').map((line) => Buffer.from(line.replace(/^[ \t]+|[ \t\r]+$/g, ''), 'latin1')).filter((line) => line.length >= LEAST_BYTES);
}

/** Where it stands in what was encoded shifts its bits by 0, 2 or 4; a character that holds bits of a neighbour is left out. */
function base64Forms(piece: Buffer): Buffer[] {
  const standard = [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), piece]).toString('base64');
    const sure = encoded.slice(Math.ceil((8 * before) / 6), Math.floor((8 * (before + piece.length)) / 6));
    const broken = before === 0 ? BASE64_WIDTHS.filter((width) => sure.length > width).flatMap((width) => sure.match(new RegExp(`.{1,${width}}`, 'g')) ?? []) : [];
    return [sure, ...broken];
  });
  return standard.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]).map((form) => Buffer.from(form, 'latin1'));
}

/** By RFC 3986, as encodeURIComponent does it, and as forms are sent; hexadecimal digits in either case. */
function percentForms(piece: Buffer): Buffer[] {
  const encode = (kept: RegExp, space: string, upper: boolean) =>
    [...piece].map((byte) => {
      const character = String.fromCharCode(byte);
      if (character === ' ') return space;
      const digits = byte.toString(16).padStart(2, '0');
      return kept.test(character) ? character : `%${upper ? digits.toUpperCase() : digits}`;
    }).join('');
  const ways: readonly [RegExp, string][] = [[/[A-Za-z0-9\-._~]/, '%20'], [/[A-Za-z0-9\-_.!~*'()]/, '%20'], [/[A-Za-z0-9\-._*]/, '+'], [/[A-Za-z0-9\-._~/]/, '%20']];
  return ways.flatMap(([kept, space]) => [true, false].map((upper) => Buffer.from(encode(kept, space, upper), 'latin1')));
}

/** Those that are about characters, so of a value that is text alone. */
function textForms(piece: Buffer): Buffer[] {
  const text = piece.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(piece)) return [];
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = (upper: boolean) => json.replace(/[^ -~]/g, (unit) => { const digits = unit.charCodeAt(0).toString(16).padStart(4, '0'); return `\\u${upper ? digits.toUpperCase() : digits}`; });
  return [json, json.replaceAll('/', '\\/'), ascii(false), ascii(true), text.replaceAll("'", `'\\''`), text.replaceAll("'", `'"'"'`)].map((form) => Buffer.from(form, 'utf8'));
}
