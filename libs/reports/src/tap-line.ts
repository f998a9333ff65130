import { milliseconds } from './clean.js';

/** A line of TAP, without its indentation. */
export type TapLine =
  | { is: 'version'; version: number }
  | { is: 'plan'; count: number; skip: string | undefined }
  | { is: 'test'; ok: boolean; name: string; directive: 'skip' | 'todo' | undefined; reason: string; opens: boolean; durationMs: number | undefined }
  | { is: 'bail'; reason: string }
  | { is: 'comment'; text: string }
  | { is: 'end' }
  | { is: 'other' };

/** Reads one line. What TAP does not know is `other`, and has no meaning. */
export function tapLine(content: string): TapLine {
  // By the first letter: of a long report most lines are tests.
  switch (content[0]) {
    case 'o':
    case 'n':
      return test(content);
    case '1':
      return plan(content);
    case '#':
      return { is: 'comment', text: content.slice(1).trim() };
    case 'T':
    case 't': {
      const version = /^TAP version (\d{1,9})$/i.exec(content)?.[1];
      return version === undefined ? { is: 'other' } : { is: 'version', version: Number(version) };
    }
    case 'B':
    case 'b':
      return /^bail out!/i.test(content) ? { is: 'bail', reason: content.slice('bail out!'.length).trim() } : { is: 'other' };
    case '}':
      return { is: content === '}' ? 'end' : 'other' };
    default:
      return { is: 'other' };
  }
}

function plan(content: string): TapLine {
  const found = /^1\.\.(\d{1,15})\s*(?:#(.*))?$/.exec(content);
  if (!found) return { is: 'other' };
  const skip = /^\s*skip\S*\s*(.*)$/i.exec(found[2] ?? '')?.[1];
  return { is: 'plan', count: Number(found[1]), skip };
}

function test(content: string): TapLine {
  const found = /^(not )?ok(?: +\d{1,15})?(?= |$)/.exec(content);
  return found ? testPoint(found[1] === undefined, content.slice(found[0].length)) : { is: 'other' };
}

function testPoint(ok: boolean, rest: string): TapLine {
  let text = rest.trim();
  const opens = text === '{' || text.endsWith(' {');
  if (opens) text = text.slice(0, -1).trimEnd();
  if (text.startsWith('- ')) text = text.slice(2).trimStart();
  const { before, directive, reason, durationMs } = afterHash(text);
  // "-" alone is a test without a name.
  return { is: 'test', ok, name: before === '-' ? '' : unescaped(before), directive, reason, opens, durationMs };
}

interface Tail {
  before: string;
  directive: 'skip' | 'todo' | undefined;
  reason: string;
  durationMs: number | undefined;
}

/** What stands behind a "#": a directive, or the time that node-tap writes. Any other "#" is part of the name. */
function afterHash(text: string): Tail {
  for (let at = text.indexOf('#'); at !== -1; at = text.indexOf('#', at + 1)) {
    if (escapedAt(text, at)) continue;
    const tail = text.slice(at + 1, at + 600);
    const directive = /^\s*(skip|todo)(?:ped)?\b[:\s]*(.*)$/i.exec(tail);
    const before = text.slice(0, at).trimEnd();
    if (directive) return { before, directive: directive[1]!.toLowerCase() as 'skip' | 'todo', reason: unescaped(directive[2]!), durationMs: undefined };
    const time = /^\s*time=([\d.]{1,20})(ms|s)\s*$/.exec(tail);
    if (time) return { before, directive: undefined, reason: '', durationMs: milliseconds(time[1], time[2] === 's' ? 1000 : 1) };
  }
  return { before: text, directive: undefined, reason: '', durationMs: undefined };
}

/** Is there an odd number of backslashes before it? */
function escapedAt(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

const unescaped = (text: string): string => (text.includes('\\') ? text.replace(/\\([\\#])/g, '$1') : text);
