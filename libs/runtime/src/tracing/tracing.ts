import type { Config } from '../config.js';
import { beginTracing, currentTrace, within } from './context.js';

/** Header of W3C Trace Context, on HTTP and on the bus. */
export const TRACE_HEADER = 'traceparent';
export const TRACE_PARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type Attributes = Record<string, string | number | boolean>;

/** What happened between two moments. */
export interface SpanFacts {
  name: string;
  kind?: SpanKind;
  /** `traceparent` of what it belongs to; a trace of its own without */
  parent?: string | undefined;
  attributes?: Attributes;
  /** ms since the epoch; now when absent */
  began?: number;
}

export interface OpenSpan {
  readonly traceparent: string;
  set(attributes: Attributes): void;
  /** @param error what went wrong; text only, as it is shown to people @param ended ms since the epoch; now when absent */
  end(error?: string, ended?: number): void;
}

/** Writes the spans of one service. */
export interface Tracing {
  start(facts: SpanFacts): OpenSpan;
  /** Runs something within a span, as part of the present trace. */
  span<T>(facts: SpanFacts, run: (span: OpenSpan) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Traces of a service; nothing when the environment names no collector, and then none of the SDK is loaded. */
export async function openTracing(service: string, config: Pick<Config, 'traces'>): Promise<Tracing | undefined> {
  if (config.traces === undefined) return undefined;
  const { exportSpans } = await import('./export.js');
  const { start, close } = exportSpans(service, config.traces);
  beginTracing();
  return {
    start,
    close,
    async span(facts, run) {
      const span = start({ parent: currentTrace(), ...facts });
      try {
        const result = await within(span.traceparent, () => run(span));
        span.end();
        return result;
      } catch (error) {
        span.end((error as Error).message);
        throw error;
      }
    },
  };
}
