/** An item of a {@link Heap}, with its place in it. */
export class Node<T> {
  /** index in the heap that has it; -1 = in none */
  at = -1;

  constructor(
    readonly of: T,
    public score: number,
    public order: number,
  ) {}
}

/** Lower score first; equal scores by order. */
export const before = (a: { score: number; order: number }, b: { score: number; order: number }): boolean =>
  a.score < b.score || (a.score === b.score && a.order < b.order);

/**
 * A binary heap that knows where each item is, so that one in the middle is moved or removed in O(log n) and nothing
 * that is gone stays behind. One shape of node for all uses: with several, comparing took twice the time.
 */
export class Heap<T> {
  private readonly items: Node<T>[] = [];

  get size(): number {
    return this.items.length;
  }

  get top(): Node<T> | undefined {
    return this.items[0];
  }

  /** O(log n). */
  push(node: Node<T>): void {
    this.items.push(node);
    this.up(node, this.items.length - 1);
  }

  /** O(log n). */
  remove(node: Node<T>): void {
    const { at } = node;
    const last = this.items.pop()!;
    node.at = -1;
    if (last === node) return;
    this.settle(last, at);
  }

  /** Gives an item another score. O(log n). */
  move(node: Node<T>, score: number, order: number): void {
    node.score = score;
    node.order = order;
    this.settle(node, node.at);
  }

  /** In no order. */
  [Symbol.iterator](): IterableIterator<Node<T>> {
    return this.items.values();
  }

  /** How many come before this score. O(the answer). */
  countBefore(than: { score: number; order: number }): number {
    let count = 0;
    const look = [0];
    for (let at = look.pop(); at !== undefined; at = look.pop()) {
      const node = this.items[at];
      if (!node || !before(node, than)) continue;
      count++;
      look.push(2 * at + 1, 2 * at + 2);
    }
    return count;
  }

  /** The items of several heaps in one order; changes none of them. O(log n) for each item that is asked for. */
  static *merged<T>(heaps: Iterable<Heap<T>>): Generator<Node<T>> {
    const edge = new Heap<{ heap: Heap<T>; at: number }>();
    const look = (heap: Heap<T>, at: number) => {
      const node = heap.items[at];
      if (node) edge.push(new Node({ heap, at }, node.score, node.order));
    };
    for (const heap of heaps) look(heap, 0);
    for (let first = edge.top; first; first = edge.top) {
      const { heap, at } = first.of;
      edge.remove(first);
      look(heap, 2 * at + 1);
      look(heap, 2 * at + 2);
      yield heap.items[at]!;
    }
  }

  private settle(node: Node<T>, at: number): void {
    const parent = this.items[(at - 1) >> 1];
    if (at > 0 && before(node, parent!)) this.up(node, at);
    else this.down(node, at);
  }

  private up(node: Node<T>, from: number): void {
    const { items } = this;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above]!;
      if (!before(node, parent)) break;
      items[at] = parent;
      parent.at = at;
      at = above;
    }
    items[at] = node;
    node.at = at;
  }

  private down(node: Node<T>, from: number): void {
    const { items } = this;
    const { length } = items;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      if (below + 1 < length && before(items[below + 1]!, items[below]!)) below++;
      const child = items[below]!;
      if (!before(child, node)) break;
      items[at] = child;
      child.at = at;
      at = below;
    }
    items[at] = node;
    node.at = at;
  }
}
