import { fork } from 'node:child_process';
import { join } from 'node:path';
import { CHECKOUT } from '@berth/embedded/servers';
import { atEndOfFile } from '../support/cleanup.js';

/** A process of one of the files beside this one, which takes orders and tells what came of them, each under the name of its kind. */
export function startChild<Order extends object, Told extends object>(file: string) {
  const own = fork(join(CHECKOUT, 'test', 'dist', 'bench', file));
  const end = atEndOfFile(() => void own.kill('SIGKILL'));
  return {
    pid: own.pid!,
    order: (order: Order) => own.send(order),
    next: <T = Told>(kind: string) =>
      new Promise<T>((resolve, reject) => {
        own.on('message', (told: Told) => kind in told && resolve(told as unknown as T));
        own.once('exit', (code) => reject(new Error(`an end of the benchmark stopped with ${code}`)));
      }),
    end: () => void end(),
  };
}
