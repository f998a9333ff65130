/** What a graph is drawn of: each node names those that it needs, which stand before it. */
export interface Node {
  needs: readonly number[];
}
/** Where a node stands, in columns and rows; rows may be halves, since columns are centred. */
export interface Spot {
  column: number;
  row: number;
}
export interface Layout {
  spots: readonly Spot[];
  /** from a node to one that needs it, by way of the gaps in the columns between them */
  edges: readonly { from: number; to: number; way: readonly Spot[] }[];
  columns: number;
  rows: number;
}

/** Orders are improved forwards and backwards so often; more changed nothing in plans of 500 steps. */
const SWEEPS = 4;

/** A node, or the place in a column that an edge passes. */
interface Place {
  column: number;
  order: number;
  before: Place[];
  after: Place[];
}

/** Column of each node: the longest way to it, so that every edge leads to the right. */
export function columnsOf(nodes: readonly Node[]): number[] {
  const columns: number[] = [];
  for (const { needs } of nodes) columns.push(Math.max(-1, ...needs.map((need) => columns[need] ?? -1)) + 1);
  return columns;
}

/** Pure: places a graph from left to right. Nodes have to stand behind those that they need, as the steps of a compiled plan do. */
export function layout(nodes: readonly Node[]): Layout {
  const places: Place[] = columnsOf(nodes).map((column) => ({ column, order: 0, before: [], after: [] }));
  const layers: Place[][] = [];
  const put = (place: Place): Place => {
    const layer = (layers[place.column] ??= []);
    place.order = layer.length;
    layer.push(place);
    return place;
  };
  places.forEach(put);
  const edges = reduced(nodes).map(({ from, to }) => ({ from, to, passes: through(places[from]!, places[to]!, put) }));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of layers) sort(layer, ({ before }) => before);
    for (const layer of [...layers].reverse()) sort(layer, ({ after }) => after);
  }
  for (const layer of layers) sort(layer, ({ before }) => before);
  const rows = Math.max(0, ...layers.map(({ length }) => length));
  const spot = ({ column, order }: Place): Spot => ({ column, row: order + (rows - layers[column]!.length) / 2 });
  return {
    spots: places.map(spot),
    edges: edges.map(({ from, to, passes }) => ({ from, to, way: [places[from]!, ...passes, places[to]!].map(spot) })),
    columns: layers.length,
    rows,
  };
}

/** Edges without those that say nothing more: what is needed by something that is needed too. */
function reduced(nodes: readonly Node[]): { from: number; to: number }[] {
  const all: Set<number>[] = [];
  return nodes.flatMap(({ needs }, to) => {
    const far = new Set(needs.flatMap((need) => [...(all[need] ?? [])]));
    all.push(new Set([...needs, ...far]));
    return [...new Set(needs)].filter((from) => !far.has(from)).map((from) => ({ from, to }));
  });
}

/** Places that an edge passes in the columns between its ends. */
function through(from: Place, to: Place, put: (place: Place) => Place): Place[] {
  const passes: Place[] = [];
  for (let column = from.column + 1; column < to.column; column++) passes.push(put({ column, order: 0, before: [], after: [] }));
  const way = [from, ...passes, to];
  for (const [i, place] of way.entries()) {
    if (i > 0) place.before.push(way[i - 1]!);
    if (i < way.length - 1) place.after.push(way[i + 1]!);
  }
  return passes;
}

/** Puts each place near the middle of its neighbours; one without any stays about where it was. */
function sort(layer: Place[], neighbours: (place: Place) => Place[]): void {
  const middle = new Map(layer.map((place) => {
    const around = neighbours(place);
    return [place, around.length === 0 ? place.order : around.reduce((sum, { order }) => sum + order, 0) / around.length];
  }));
  layer.sort((a, b) => middle.get(a)! - middle.get(b)! || a.order - b.order);
  layer.forEach((place, order) => (place.order = order));
}

/** The node that an arrow key leads to from another: the nearest one in that direction. */
export function neighbour({ spots }: Layout, from: number, key: string): number | undefined {
  const here = spots[from]!;
  const [columns, rows] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
  let best: { index: number; far: number } | undefined;
  for (const [index, { column, row }] of spots.entries()) {
    const along = (column - here.column) * columns! + (row - here.row) * rows!;
    const across = columns === 0 ? Math.abs(column - here.column) * 1000 : Math.abs(row - here.row);
    if (along <= 0) continue;
    const far = columns === 0 ? along + across : along * 1000 + across;
    if (across < 1000 && (!best || far < best.far)) best = { index, far };
  }
  return best?.index;
}
