/** How a piece of a line is shown: names of classes in `log.css`, and colours that are not among the sixteen. */
export interface Style {
  classes: readonly string[];
  color?: string;
  background?: string;
}
export interface Piece {
  text: string;
  style: Style;
  /** it is what was searched for */
  hit?: boolean;
}

interface Look {
  fore: string | undefined;
  back: string | undefined;
  marks: ReadonlySet<Mark>;
}
type Mark = 'bold' | 'faint' | 'italic' | 'underline' | 'inverse' | 'strike' | 'hidden';

const PLAIN: Look = { fore: undefined, back: undefined, marks: new Set() };
const marksOn: Readonly<Record<number, Mark>> = { 1: 'bold', 2: 'faint', 3: 'italic', 4: 'underline', 7: 'inverse', 8: 'hidden', 9: 'strike' };
const marksOff: Readonly<Record<number, readonly Mark[]>> = { 22: ['bold', 'faint'], 23: ['italic'], 24: ['underline'], 27: ['inverse'], 28: ['hidden'], 29: ['strike'] };
/** Sequences of terminals (ECMA-48): CSI with its parameters, strings such as links and titles, and the short ones. */
const SEQUENCE = /\x1b(?:\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e]|$)|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|[\x20-\x2f]*[\x30-\x7e]|$)/g;
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f]/g;

/** What a terminal would show of a line: what stands behind the last carriage return is what is left of it. */
export function lastWritten(text: string): string {
  const end = text.replace(/\r+$/, '');
  return end.slice(end.lastIndexOf('\r') + 1);
}

/** Pure: a line as pieces that look alike. Every line begins plain, so one that forgets to end its colours spoils no other. */
export function piecesOf(line: string): Piece[] {
  const pieces: Piece[] = [];
  let look = PLAIN;
  let from = 0;
  const push = (raw: string): void => {
    const text = raw.replace(CONTROLS, '');
    if (text !== '') pieces.push({ text, style: styleOf(look) });
  };
  const text = lastWritten(line);
  for (const match of text.matchAll(SEQUENCE)) {
    push(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === 'm') look = after(look, match[1] ?? '');
  }
  push(text.slice(from));
  return pieces;
}

/** The text alone. */
export const plainOf = (line: string): string => piecesOf(line).map(({ text }) => text).join('');

function after(before: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
  let { fore, back } = before;
  const marks = new Set(before.marks);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) {
      [fore, back] = [undefined, undefined];
      marks.clear();
    } else if (marksOn[code]) marks.add(marksOn[code]);
    else if (marksOff[code]) for (const mark of marksOff[code]) marks.delete(mark);
    else if (code >= 30 && code <= 37) fore = String(code - 30);
    else if (code >= 90 && code <= 97) fore = String(code - 82);
    else if (code >= 40 && code <= 47) back = String(code - 40);
    else if (code >= 100 && code <= 107) back = String(code - 92);
    else if (code === 39) fore = undefined;
    else if (code === 49) back = undefined;
    else if (code === 38 || code === 48) {
      const [colour, taken] = extended(codes.slice(i + 1));
      i += taken;
      if (code === 38) fore = colour ?? fore;
      else back = colour ?? back;
    }
  }
  return { fore, back, marks };
}

/** `5;N` of 256 colours or `2;R;G;B`, and how many codes it took. */
function extended([kind, ...rest]: readonly number[]): [colour: string | undefined, taken: number] {
  const byte = (value: number | undefined): boolean => value !== undefined && value >= 0 && value <= 255;
  if (kind === 5) return [byte(rest[0]) ? indexed(rest[0]!) : undefined, 2];
  if (kind === 2) return [rest.slice(0, 3).length === 3 && rest.slice(0, 3).every(byte) ? `rgb(${rest.slice(0, 3).join(' ')})` : undefined, 4];
  return [undefined, 1];
}

/** The first sixteen follow the theme; then a cube of 6 x 6 x 6, then greys. */
function indexed(index: number): string {
  if (index < 16) return String(index);
  if (index >= 232) return `rgb(${Array(3).fill(8 + 10 * (index - 232)).join(' ')})`;
  const part = (of: number) => (of === 0 ? 0 : 55 + 40 * of);
  const at = index - 16;
  return `rgb(${part(Math.floor(at / 36))} ${part(Math.floor(at / 6) % 6)} ${part(at % 6)})`;
}

function styleOf({ fore, back, marks }: Look): Style {
  const [front, ground] = marks.has('inverse') ? [back ?? 'ground', fore ?? 'text'] : [fore, back];
  const own = (colour: string | undefined): colour is string => colour?.startsWith('rgb') === true;
  return {
    classes: [...[...marks].filter((mark) => mark !== 'inverse').map((mark) => `is-${mark}`), ...(front !== undefined && !own(front) ? [`fore-${front}`] : []), ...(ground !== undefined && !own(ground) ? [`back-${ground}`] : [])],
    ...(own(front) && { color: front }),
    ...(own(ground) && { background: ground }),
  };
}

/** Pure: the same pieces, cut where a text is found, which is told by `hit`. Letters count whatever their case. */
export function marked(pieces: readonly Piece[], wanted: string): readonly Piece[] {
  if (wanted === '') return pieces;
  const whole = pieces.map(({ text }) => text).join('').toLowerCase();
  const needle = wanted.toLowerCase();
  const cuts: [from: number, to: number][] = [];
  for (let at = whole.indexOf(needle); at >= 0; at = whole.indexOf(needle, at + needle.length)) cuts.push([at, at + needle.length]);
  if (cuts.length === 0) return pieces;
  let start = 0;
  return pieces.flatMap((piece) => {
    const [begin, end] = [start, (start += piece.text.length)];
    const edges = [...new Set([begin, end, ...cuts.flat().filter((at) => at > begin && at < end)])].sort((a, b) => a - b);
    return edges.slice(1).map((to, i) => {
      const from = edges[i]!;
      const hit = cuts.some(([first, last]) => first <= from && to <= last);
      return { ...piece, text: piece.text.slice(from - begin, to - begin), ...(hit && { hit }) };
    });
  });
}
