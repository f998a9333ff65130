import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, type ReactNode } from 'react';
import type { ProblemError } from '../api/problem';
import { Empty } from './empty';
import { useParam } from './params';
import { ProblemBox } from './problem';

/** What one column of a table shows. */
export interface Column<T> {
  id: string;
  head: string;
  cell: (row: T) => ReactNode;
  /** CSS width; without one it takes what is left */
  width?: string;
  number?: boolean;
  /** by what it is sorted: the name that the server has for it, or of a list that is here as a whole the value of a row */
  sort?: string | ((row: T) => string | number);
}

interface TableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  /** said when there are none */
  empty: ReactNode;
  /** all rows are here */
  whole?: boolean;
  /** the server's order when the address asks for none, as in `sort`: it is the server that sorts */
  usual?: string;
  loading?: boolean;
  error?: ProblemError | null;
  /** asked for more when the last row comes near */
  more?: () => void;
  loadingMore?: boolean;
  /** pixels: on a narrower page it is scrolled sideways */
  least?: number;
  /** parameter of the address with the order; tables beside each other have different ones */
  sortParam?: string;
}

const ROW = 30;
const AHEAD = 12;
/** Fewer rows are all in the page, where the browser's own search finds them. */
const VIRTUAL_FROM = 120;

/**
 * A table of many rows, of which those in view are in the page. What the server lists page by page it also sorts (`usual`);
 * only what was read as a whole is sorted here.
 */
export function Table<T>({ label, columns, rows, rowKey, empty, whole = true, usual, loading = false, error, more, loadingMore = false, least = 0, sortParam = 'sort' }: TableProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [order, setOrder] = useParam(sortParam, usual ?? '');
  const here = usual === undefined && whole;
  const sorted = useMemo(() => (here ? inOrder(rows, columns, order) : rows), [rows, columns, here, order]);
  const virtual = useVirtualizer({ count: sorted.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: AHEAD, enabled: sorted.length >= VIRTUAL_FROM });
  const shown = virtual.getVirtualItems();
  const all = sorted.length < VIRTUAL_FROM;
  const [from, to] = all ? [0, sorted.length] : [shown[0]?.index ?? 0, (shown.at(-1)?.index ?? -1) + 1];
  const nearEnd = to >= sorted.length - AHEAD;
  useEffect(() => {
    if (nearEnd && !whole && !loading) more?.();
  }, [nearEnd, whole, loading, more]);

  if (error && rows.length === 0) return <ProblemBox error={error} />;
  return (
    // Whoever has no mouse scrolls it with the arrow keys.
    <div className="table-box" ref={box} tabIndex={0} role="group" aria-label={`${label}, list`}>
      <table className="table" style={{ minWidth: least }} aria-label={label} aria-rowcount={whole ? sorted.length + 1 : -1}>
        <colgroup>{columns.map(({ id, width }) => <col key={id} style={width === undefined ? {} : { width }} />)}</colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => <Head key={column.id} column={column} by={sortOf(column, here)} order={order} onOrder={setOrder} />)}
          </tr>
        </thead>
        <tbody>
          {from > 0 && <Space rows={from} columns={columns.length} />}
          {sorted.slice(from, to).map((row, i) => (
            <tr key={rowKey(row)} aria-rowindex={from + i + 2}>
              {columns.map(({ id, number, cell }) => <td key={id} className={number ? 'number' : ''}>{cell(row)}</td>)}
            </tr>
          ))}
          {to < sorted.length && <Space rows={sorted.length - to} columns={columns.length} />}
        </tbody>
      </table>
      {sorted.length === 0 && <Empty>{loading || !whole ? 'Loading…' : empty}</Empty>}
      {loadingMore && <div className="table-foot"><span className="spinner" aria-hidden /> Loading more…</div>}
    </div>
  );
}

/** What the address calls the order of a column; undefined when there is none. */
function sortOf<T>({ id, sort }: Column<T>, here: boolean): string | undefined {
  if (typeof sort === 'string') return here ? undefined : sort;
  return here && sort ? id : undefined;
}

function Head<T>({ column: { head, number }, by, order, onOrder }: { column: Column<T>; by: string | undefined; order: string; onOrder: (order: string) => void }) {
  const className = number ? 'number' : '';
  if (by === undefined) return <th scope="col" className={className}>{head || <span className="hidden-visually">Actions</span>}</th>;
  const direction = order === by ? 'ascending' : order === `-${by}` ? 'descending' : 'none';
  const arrow = direction === 'ascending' ? ' ↑' : direction === 'descending' ? ' ↓' : '';
  return (
    <th scope="col" className={className} aria-sort={direction}>
      <button type="button" onClick={() => onOrder(direction === 'ascending' ? `-${by}` : by)}>{head}{arrow}</button>
    </th>
  );
}

const Space = ({ rows, columns }: { rows: number; columns: number }) => (
  <tr className="space" aria-hidden><td colSpan={columns} style={{ height: rows * ROW }} /></tr>
);

function inOrder<T>(rows: readonly T[], columns: readonly Column<T>[], order: string): readonly T[] {
  const down = order.startsWith('-');
  const by = columns.find(({ id }) => id === (down ? order.slice(1) : order))?.sort;
  if (typeof by !== 'function') return rows;
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [by(a), by(b)];
    return sign * (typeof left === 'number' && typeof right === 'number' ? left - right : String(left).localeCompare(String(right), undefined, { numeric: true }));
  });
}
