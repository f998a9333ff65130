import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { TRACE_PARENT, type OpenSpan, type SpanFacts, type Tracing } from './tracing.js';

/** A collector that is away must not keep a service from stopping. */
const EXPORT_MS = 5000;
/** Spans that wait for a collector; beyond that the newest are dropped, and never the work that they tell of. */
const MOST_WAITING = 4096;
const WAIT_MS = 1000;

const kinds = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER } as const;

/** Spans of a service on their way to a collector over OTLP/HTTP. Loaded only when traces are on: measured on two busy cores, that takes half a second. */
export function exportSpans(service: string, url: string): Pick<Tracing, 'start' | 'close'> {
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS });
  const processor = new BatchSpanProcessor({ exporter, maxQueueSize: MOST_WAITING, scheduledDelayMillis: WAIT_MS, exportTimeoutMillis: EXPORT_MS });
  const provider = new TracerProvider({ resource: resourceFromAttributes({ 'service.name': `berth-${service}`, 'service.namespace': 'berth' }), spanProcessors: [processor] });
  const tracer = provider.getTracer('berth');
  return {
    start({ name, kind = 'internal', parent, attributes = {}, began }: SpanFacts): OpenSpan {
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes, ...(began !== undefined && { startTime: began }) }, contextOf(parent));
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        traceparent: `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`,
        set: (more) => void span.setAttributes(more),
        end(error, ended) {
          if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
          span.end(ended);
        },
      };
    },
    // What can't be told any more is dropped: it was about the past.
    close: () => provider.shutdown().catch(() => undefined),
  };
}

function contextOf(parent: string | undefined): Context {
  if (parent === undefined || !TRACE_PARENT.test(parent)) return ROOT_CONTEXT;
  const [, traceId, spanId, flags] = parent.split('-') as [string, string, string, string];
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
}
