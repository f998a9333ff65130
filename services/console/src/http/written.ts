import { AsyncLocalStorage } from 'node:async_hooks';

/** What one request has written so far. */
export interface Written {
  position: number | undefined;
  /** position of the read that it is based on, if it says so */
  base: number | undefined;
}

/** Follows a request through its handler, so that each command that it sends can say where it was written. */
const present = new AsyncLocalStorage<Written>();

/** Everything within `work` notes its writes in `written`. */
export const noting = (written: Written, work: () => void): void => present.run(written, work);

/** The request that this is a part of has written this position. Outside of a request it is nobody's. */
export function noteWritten(position: number): void {
  const written = present.getStore();
  if (written) written.position = Math.max(written.position ?? 0, position);
}

/** The position of the read that this request is based on, if it says so. */
export const baseNow = (): number | undefined => present.getStore()?.base;
