import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TRACE_HEADER, TRACE_PARENT, within, type OpenSpan, type Tracing } from '@berth/runtime';

/** Each request is a span, part of the asker's trace if it names one; what it makes happen on the bus is within it. */
export function traceRequests(server: FastifyInstance, tracing: Tracing): void {
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  server.addHook('onRequest', (request, _reply, done) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    const asked = request.headers[TRACE_HEADER];
    const parent = typeof asked === 'string' && TRACE_PARENT.test(asked) ? asked : undefined;
    spans.set(request, tracing.start({ name: `${request.method} ${route}`, kind: 'server', parent, attributes: { 'http.request.method': request.method, 'http.route': route } }));
    done();
  });
  // After the body was read: what a socket tells belongs to nobody's trace.
  server.addHook('preHandler', (request, _reply, done) => within(spans.get(request)?.traceparent, done, false));
  server.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    span?.set({ 'http.response.status_code': reply.statusCode });
    span?.end(reply.statusCode >= 500 ? `HTTP ${reply.statusCode}` : undefined);
    done();
  });
  server.addHook('onRequestAbort', (request, done) => {
    spans.get(request)?.end('the asker went away');
    done();
  });
}
