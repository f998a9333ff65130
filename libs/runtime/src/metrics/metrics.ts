import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { asksForOpenMetrics, OPEN_METRICS, openMetrics } from './open-metrics.js';

export type { Counter, Gauge, Histogram } from 'prom-client';

/** Bounds of what takes milliseconds: commands, appends, requests. In seconds. */
const QUICK = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How a command ended, as its metrics count it. */
export type CommandOutcome = 'accepted' | 'refused' | 'failed';

/** The metrics of one process, whichever services live in it. Every label has a bounded set of values. */
export class Metrics {
  private readonly registry = new Registry();
  private watching = false;
  readonly commands = this.counter('berth_commands_total', 'Commands that a service has answered or given a try, by how that ended.', ['service', 'type', 'outcome']);
  readonly commandDuration = this.histogram('berth_command_duration_seconds', 'From taking a command to its answer.', ['service', 'type'], QUICK);
  readonly buried = this.counter('berth_dead_letters_total', 'Commands that a service gave up.', ['service', 'type']);
  readonly appendDuration = this.histogram('berth_event_append_duration_seconds', 'From asking the event store to store a commit to its answer, conflicts too.', ['service', 'kind'], QUICK);
  readonly appendConflicts = this.counter('berth_event_append_conflicts_total', 'Commits that were not stored because another was faster; they are decided on again.', ['service', 'kind']);

  /** @param name by Prometheus' conventions: `berth_` before it, a base unit or `total` at its end */
  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  histogram<L extends string = never>(name: string, help: string, labelNames: readonly L[] = [], buckets: readonly number[] = QUICK): Histogram<L> {
    return new Histogram({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers: [this.registry] });
  }

  /** @param collect sets it when somebody looks. What can't be known then is absent, and the others are told all the same */
  gauge<L extends string = never>(name: string, help: string, labelNames: readonly L[] = [], collect?: (gauge: Gauge<L>) => void | Promise<void>): Gauge<L> {
    const own: Gauge<L> = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      ...(collect && {
        async collect(this: Gauge<L>) {
          this.reset();
          // A gauge without labels would be 0 now, which says something else than "not known".
          if (labelNames.length === 0) this.remove();
          try {
            await collect(this);
          } catch {
            this.reset(); // of an outage: whoever watches sees that the metric is gone, and others say why
            if (labelNames.length === 0) this.remove();
          }
        },
      }),
    });
    return own;
  }

  /** Processor, memory, event loop and garbage collection of this process; once, however often it is asked for. */
  watchProcess(): this {
    if (!this.watching) collectDefaultMetrics({ register: this.registry });
    this.watching = true;
    return this;
  }

  /** All of them, as Prometheus reads them; in the format of OpenMetrics for whoever would rather have that. */
  async text(accept?: string): Promise<{ contentType: string; body: string }> {
    const body = await this.registry.metrics();
    return asksForOpenMetrics(accept) ? { contentType: OPEN_METRICS, body: openMetrics(body) } : { contentType: this.registry.contentType, body };
  }
}
