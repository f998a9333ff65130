import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf, layout, neighbour, type Node } from './layout.js';

const graph = (...needs: number[][]): Node[] => needs.map((of) => ({ needs: of }));
/** Graphs as compiled plans are: each node needs some of those before it. */
const graphs = fc.integer({ min: 1, max: 30 }).chain((size) => fc.tuple(...Array.from({ length: size }, (_, i) => (i === 0 ? fc.constant([] as number[]) : fc.uniqueArray(fc.integer({ min: 0, max: i - 1 }), { maxLength: 4 }))))).map((needs) => graph(...needs));

describe('the layout of a graph', () => {
  it('puts a node behind the longest way to it', () => {
    expect(columnsOf(graph([], [0], [0], [1, 2], [0, 3]))).toEqual([0, 1, 1, 2, 3]);
  });

  it('centres columns, and leads an edge through the columns between its ends', () => {
    const { spots, edges, columns, rows } = layout(graph([], [0], [0], [1], [2, 3]));
    expect({ columns, rows }).toEqual({ columns: 4, rows: 2 });
    expect(spots[0]).toEqual({ column: 0, row: 0.5 });
    const long = edges.find(({ from, to }) => from === 2 && to === 4)!;
    expect(long.way.map(({ column }) => column)).toEqual([1, 2, 3]);
  });

  it('leaves out edges that say nothing more', () => {
    expect(layout(graph([], [0], [0, 1])).edges.map(({ from, to }) => [from, to])).toEqual([[0, 1], [1, 2]]);
  });

  it('puts nodes beside what they need, so that edges do not cross for nothing', () => {
    const { spots } = layout(graph([], [], [1], [0]));
    expect(spots[3]!.row).toBe(spots[0]!.row);
    expect(spots[2]!.row).toBe(spots[1]!.row);
  });

  it('never puts two nodes into one place, and every edge leads to the right', () => {
    fc.assert(
      fc.property(graphs, (nodes) => {
        const { spots, edges } = layout(nodes);
        expect(new Set(spots.map(({ column, row }) => `${column} ${row}`)).size).toBe(nodes.length);
        for (const { way } of edges) for (const [i, { column }] of way.entries()) if (i > 0) expect(column).toBe(way[i - 1]!.column + 1);
      }),
    );
  });

  it('takes a plan of 500 steps', () => {
    const wide = graph([], ...Array.from({ length: 498 }, () => [0]), Array.from({ length: 498 }, (_, i) => i + 1));
    expect(layout(wide)).toMatchObject({ columns: 3, rows: 498 });
    expect(layout(graph(...Array.from({ length: 500 }, (_, i) => (i === 0 ? [] : [i - 1]))))).toMatchObject({ columns: 500, rows: 1 });
  });

  it('leads with arrow keys to the nearest node in that direction', () => {
    const its = layout(graph([], [0], [0], [1, 2]));
    expect(neighbour(its, 0, 'ArrowRight')).toBe(1);
    expect(neighbour(its, 1, 'ArrowDown')).toBe(2);
    expect(neighbour(its, 2, 'ArrowUp')).toBe(1);
    expect(neighbour(its, 3, 'ArrowLeft')).toBe(1);
    expect(neighbour(its, 3, 'ArrowRight')).toBeUndefined();
    expect(neighbour(its, 0, 'x')).toBeUndefined();
  });
});
