/** Height of a row, px, as in log.css. */
export const ROW = 18;
/** Browsers end elements at about 16 to 33 million pixels; a log may have more rows than that. */
const TALLEST = 8_000_000;

/** How rows stand in a box that scrolls. */
export interface View {
  rows: number;
  /** of the box, px */
  height: number;
}

const allOf = (rows: number): number => rows * ROW;
/** Height of what scrolls, px. */
export const heightOf = ({ rows, height }: View): number => Math.max(height, Math.min(TALLEST, allOf(rows)));
/** The bar stands for more than can be scrolled through pixel by pixel. */
export const isScaled = ({ rows }: View): boolean => allOf(rows) > TALLEST;

/** Where the rows are moved to for a position of the bar, px from the top of all rows. */
export function offsetOf(view: View, scrollTop: number): number {
  if (!isScaled(view)) return scrollTop;
  const [bar, all] = [heightOf(view) - view.height, allOf(view.rows) - view.height];
  return Math.round((Math.min(Math.max(scrollTop, 0), bar) / bar) * all);
}

/** The position of the bar for an offset: the other way round. */
export function scrollTopOf(view: View, offset: number): number {
  const all = Math.max(0, allOf(view.rows) - view.height);
  const within = Math.min(Math.max(offset, 0), all);
  if (!isScaled(view)) return within;
  return (within / all) * (heightOf(view) - view.height);
}

/** The rows that are seen at an offset, with some more on both sides: the first, and the one behind the last. */
export function seenAt({ rows, height }: View, offset: number, more = 20): [from: number, to: number] {
  return [Math.max(0, Math.floor(offset / ROW) - more), Math.min(rows, Math.ceil((offset + height) / ROW) + more)];
}
