import type { Listed, Objects } from './objects.js';

/** Puts into the one store, and finds also what is only in the one that was used before it. */
export function layered(store: Objects, older: Objects): Objects {
  return {
    put: (name, content, options) => store.put(name, content, options),
    open: async (name) => (await store.open(name)) ?? older.open(name),
    async remove(name) {
      // The older one first: in the other order a failure between them would bring old bytes back.
      await older.remove(name);
      await store.remove(name);
    },
    async *list(prefix): AsyncGenerator<Listed, void, undefined> {
      yield* store.list(prefix);
      for await (const listed of older.list(prefix)) if (!(await store.open(listed.name))) yield listed;
    },
  };
}
