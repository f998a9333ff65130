import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { atEndOfFile } from './cleanup.js';

/**
 * Passes everything on to a console and shows the token whenever a WebSocket is opened, which a browser cannot do by itself: it
 * sends no headers of a page's choice with it. Gives the address.
 */
export async function startRelay(url: string, token: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      // The head of an upgrade comes in one piece, at the beginning of a connection of its own.
      if (/^GET [^\r\n]*\r\n(?:.*\r\n)*upgrade: websocket\r\n/i.test(text)) far.write(text.replace('\r\n', `\r\nAuthorization: Bearer ${token}\r\n`), 'latin1');
      else far.write(bytes);
    });
    far.on('data', (bytes) => near.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
