import { connect } from 'node:net';

export interface Heard { status: number; headers: Map<string, string>; body: string }

/**
 * Sends a request byte by byte as it is given, which no client of HTTP would do, and hears what comes until the other side is
 * done, or says nothing more for a while: a feed has no end.
 */
export function wire(url: string, method: string, path: string, headers: readonly (readonly [string, string])[], body: string | undefined): Promise<Heard> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) });
    const end = () => {
      socket.destroy();
      try {
        resolve(heard(Buffer.concat(pieces)));
      } catch (error) {
        reject(error as Error);
      }
    };
    // A feed, or a log that is followed: its headers are there.
    const silence = () => {
      if (/^(HTTP\/1\.1 100 [^\r]*\r\n\r\n)?HTTP\/1\.1 [2-5][^]*?\r\n\r\n/.test(Buffer.concat(pieces).toString('latin1'))) end();
    };
    let quiet: NodeJS.Timeout | undefined;
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      clearTimeout(quiet);
      quiet = setTimeout(silence, 150);
    });
    socket.once('close', () => {
      clearTimeout(quiet);
      end();
    });
    socket.on('error', () => undefined); // a request may be cut off once it is answered
    const length = body === undefined ? [] : [['Content-Length', String(Buffer.byteLength(body))] as const];
    const head = [`${method} ${path} HTTP/1.1`, ...[['Host', 'x'], ['Connection', 'close'], ...length, ...headers].map(([name, value]) => `${name}: ${value}`)].join('\r\n');
    socket.write(Buffer.from(`${head}\r\n\r\n${body ?? ''}`));
  });
}

function heard(bytes: Buffer): Heard {
  const at = bytes.indexOf('\r\n\r\n');
  const [line = '', ...lines] = bytes.subarray(0, Math.max(at, 0)).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1]);
  if (status === 100) return heard(bytes.subarray(at + 4));
  if (!(status > 100)) throw new Error(`no answer in ${JSON.stringify(bytes.subarray(0, 200).toString('latin1'))}`);
  const headers = new Map(lines.map((one) => [one.slice(0, one.indexOf(':')).toLowerCase(), one.slice(one.indexOf(':') + 1).trim()]));
  return { status, headers, body: bytes.subarray(at + 4).toString() };
}
