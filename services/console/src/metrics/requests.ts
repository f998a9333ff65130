import type { FastifyInstance } from 'fastify';
import type { Metrics } from '@berth/runtime';

/** Counts requests by the route that was matched, never by the path: there is no end to paths. */
export function measureRequests(server: FastifyInstance, metrics: Metrics): void {
  const duration = metrics.histogram('berth_http_request_duration_seconds', 'What a request took until its answer was sent; one that follows something takes as long as it follows.', ['method', 'route', 'status'], [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]);
  server.addHook('onResponse', (request, reply, done) => {
    duration.observe({ method: request.method, route: request.is404 ? 'none' : (request.routeOptions.url ?? 'none'), status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    done();
  });
}
