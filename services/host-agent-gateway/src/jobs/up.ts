import { connect } from 'node:net';
import { pause } from '../runner/pause.js';
import { ping } from './drivers/ping.js';
import { DriverFault, type Call } from './drivers/driver.js';
import { loginOf, type ManagedMachine } from './machine.js';
import type { Going } from './attempts.js';

/** Between two looks at a machine. */
const LOOK_MS = 250;
/** How long one look waits for an answer. */
const ANSWER_MS = 3000;
/** SSH servers say who they are first (RFC 4253 section 4.2). */
const GREETING = /^SSH-/;

/**
 * Is a machine up? One that can be logged in to is when its SSH server greets; any other when it answers a ping: IPMI says
 * "on" of a machine that hangs.
 * @throws DriverFault when that can't be told
 */
export async function isUp(machine: ManagedMachine, call: Call): Promise<boolean> {
  const login = loginOf(machine);
  if (login?.transport === 'ssh') return greets(login.address, login.port, call.signal);
  return ping(call, machine.spec.address, { count: 1, seconds: 2 });
}

function greets(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: ANSWER_MS });
    const end = (up: boolean) => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(up);
    };
    const stop = () => {
      socket.destroy();
      reject(signal.reason instanceof Error ? signal.reason : new DriverFault('cancelled', String(signal.reason)));
    };
    socket.once('data', (bytes: Buffer) => end(GREETING.test(bytes.toString('latin1'))));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false)); // refused, no route, no such name: whatever it is, nothing answers
    socket.once('close', () => end(false));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** How long a machine may take. */
export interface Windows {
  downWithin: number;
  upWithin: number;
}

/**
 * Waits until a machine has gone down and come back: a reboot is that and nothing less.
 * @throws DriverFault `stayed-up`, `stayed-down`
 */
export async function goesDownAndComesBack(machine: ManagedMachine, going: Going, { downWithin, upWithin }: Windows): Promise<void> {
  // One whose power was seen to be off was down.
  if (!going.has('down') && !going.has('off')) {
    if (!(await within(machine, going, downWithin, false))) throw new DriverFault('stayed-up', `machine ${machine.name} did not go down within ${downWithin / 1000} s`);
    await going.step('down');
  }
  await comesBack(machine, going, upWithin);
}

/** @throws DriverFault `stayed-down` */
export async function comesBack(machine: ManagedMachine, going: Going, upWithin: number): Promise<void> {
  if (!(await within(machine, going, upWithin, true))) throw new DriverFault('stayed-down', `machine ${machine.name} did not come up within ${upWithin / 1000} s`);
}

async function within(machine: ManagedMachine, going: Going, ms: number, up: boolean): Promise<boolean> {
  for (const end = Date.now() + ms; ; ) {
    going.signal.throwIfAborted();
    if ((await isUp(machine, going.call(ANSWER_MS * 2))) === up) return true;
    if (Date.now() >= end) return false;
    await pause(Math.min(LOOK_MS, Math.max(1, end - Date.now())), going.signal);
  }
}
