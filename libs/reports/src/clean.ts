import { reportBounds } from '@berth/contracts/report-bounds';

// A sequence that colours a terminal. Its three parts share no character, so a match never goes back.
const ansi = /\x1b\[[0-?]*[ -/]*[@-~]/g;
// Node writes the escape itself into XML, which may not hold it; others write it as a reference that XML forbids too.
const escapeReference = /&#(?:27|x1b);/gi;
const control = /[\0-\x08\x0b-\x1f\x7f]/g;
const loneSurrogate = /\p{Cs}/gu;

/** Text for people, at most `max` long: without colours and control characters, and without halves of characters. */
export function message(text: string, max: number = reportBounds.message): string {
  // Cut first, so that the rest takes no longer for a text of megabytes; four times, because colours go.
  const cut = text.slice(0, max * 4).replace(escapeReference, '\x1b').replace(ansi, '').replace(/\r\n?/g, '\n').replace(control, '\ufffd').trim();
  const whole = cut.length > max ? `${cut.slice(0, max - 1)}…` : cut;
  return whole.replace(loneSurrogate, '\ufffd');
}

/** The same on one line, for names. */
export function label(text: string): string {
  return message(text.slice(0, reportBounds.label * 4).replace(/[\s]+/g, ' '), reportBounds.label);
}

/** A property that exists only when there is something in it: `{ ...filled('file', label(file)) }`. */
export function filled<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined || value === '' ? {} : { [key]: value }) as { [P in K]?: V };
}

/** A line or column, where the text is one. */
export function place(value: string | number | undefined): number | undefined {
  const number = typeof value === 'string' && value.length < 10 ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** Milliseconds of a number as text, such as `0.25` seconds or `1,234.5`. */
export function milliseconds(text: string | undefined, unit: number): number | undefined {
  if (text === undefined || text.length > 32 || !/^[\d.,]+(e-?\d+)?$/i.test(text)) return undefined;
  const value = Number(text.replaceAll(',', ''));
  return Number.isFinite(value) ? rounded(value * unit) : undefined;
}

/** Milliseconds to the microsecond: more is noise of the division. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
