import type { EventStore } from '@berth/event-store';
import type { Bus } from '../bus.js';
import { traceOfCommit, within } from './context.js';
import type { Tracing } from './tracing.js';

/** An event store whose commits are spans, and carry the trace on to whoever reads them. */
export function tracedStore(store: EventStore, tracing: Tracing): EventStore {
  return {
    append: (kind, id, expected, commit) =>
      within(traceOfCommit(id), () =>
        tracing.span({ name: `append ${kind}`, kind: 'producer', attributes: { 'berth.kind': kind, 'berth.id': id, 'berth.events': commit.events.map(({ type }) => type).join(' '), 'berth.cause': commit.cause } }, async (span) => {
          const position = await store.append(kind, id, expected, commit);
          span.set({ 'berth.position': position });
          return position;
        }),
      ),
    load: (kind, id) => store.load(kind, id),
    feed: (after, onCommit, onError, kinds) => store.feed(after, onCommit, onError, kinds),
  };
}

/** A bus on which each command is a span from its sending to its answer. */
export function tracedBus(bus: Bus, tracing: Tracing): Bus {
  return {
    command: (service, type, data, options) =>
      tracing.span({ name: `send ${type}`, kind: 'client', attributes: { 'berth.service': service, 'berth.command': options.id } }, async (span) => {
        const answer = await bus.command(service, type, data, options);
        span.set({ 'berth.accepted': answer.accepted, ...(!answer.accepted && { 'berth.code': answer.code }) });
        return answer;
      }),
  };
}
