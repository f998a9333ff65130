import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { asProblem } from './filter.js';
import { HttpProblem, problemBody, sendProblem } from './problem.js';

/** What is said to whoever sends something that never becomes a request: the same kind of "no" as anywhere else. */
export const malformed = {
  /** It has a path that can't be read. */
  frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply): void => sendProblem(reply, asProblem(error)),
  /** It is not HTTP. */
  clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket): void {
    // The connection is gone, or an answer is under way: nothing more can be said.
    if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable || socket.bytesWritten > 0) return void socket.destroy(error);
    const problem = ofWire(error);
    const body = problemBody(problem);
    socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${problem.status} Refused\r\nContent-Type: application/problem+json\r\nContent-Length: ${body.byteLength}\r\nConnection: close\r\n\r\n`), body]));
  },
};

/** Node answers an `Expect` that it does not know by itself, with nothing at all. */
export function refuseExpectations(server: Server): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const problem = new HttpProblem('expectation-failed', 'What Expect asks for is not done here: leave it out, or send 100-continue.', [{ field: 'Expect', message: 'must be 100-continue' }]);
    const body = problemBody(problem);
    response.writeHead(problem.status, { 'Content-Type': 'application/problem+json', 'Content-Length': body.byteLength, Connection: 'close' }).end(body);
    request.resume();
  });
}

function ofWire({ code, message }: NodeJS.ErrnoException): HttpProblem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpProblem('request-timeout', 'The request did not come to its end in time.');
    case 'HPE_HEADER_OVERFLOW':
      return new HttpProblem('headers-too-large', 'The headers are too large: at most 16 KiB in all.');
    default:
      return new HttpProblem('bad-request', `This is not HTTP: ${message}.`);
  }
}
