import { createServer, type Server } from 'node:net';

// Below the range from which the kernel takes ports for outgoing connections: nobody gets ours by chance.
const PORTS = { from: 20_000, to: 32_000 };

/**
 * Addresses of their own for the instances of one process: all of 127.0.0.0/8 is the machine itself on Linux (elsewhere
 * only 127.0.0.1 is). The middle of each is made from the process number, so that test files that run at the same time
 * do not meet; 127.0.x.y stays with those who use it already.
 */
const NETWORK = `127.${1 + (Math.floor(process.pid / 256) % 254)}.${process.pid % 256}`;
const taken = new Set<number>();
let last = 0;

/** A free address: one that nobody has had as long as there are such, or (`used`) the lowest, had before or not. */
export function takeAddress(used: boolean): string {
  for (let step = 0; step < 254; step++) {
    const number = ((used ? step : last + step) % 254) + 1;
    if (taken.has(number)) continue;
    taken.add(number);
    last = Math.max(last, number) % 254;
    return `${NETWORK}.${number}`;
  }
  throw new Error('254 instances are alive, and this stand-in has no more addresses');
}

export function giveBackAddress(address: string): void {
  taken.delete(Number(address.slice(address.lastIndexOf('.') + 1)));
}

/** A port that nobody has on any address of this machine just now. */
export async function portOnAllAddresses(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    // Listening on all addresses fails if anybody listens on one of them.
    const server = await listening('0.0.0.0', port);
    if (server === undefined) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error(`no port from ${PORTS.from} to ${PORTS.to} is free on all addresses`);
}

/** A server that listens; undefined when the port is taken. */
async function listening(host: string, port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}
