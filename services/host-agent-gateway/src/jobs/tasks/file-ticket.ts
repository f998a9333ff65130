import type { TaskKind } from './task.js';

/** Has a person look at a machine, whatever is the matter with it. */
export const fileTicket: TaskKind = {
  takesMachine: false,
  lacks: () => undefined,
  async run({ attempts, machine, info, requester, fileTicket: file }) {
    let ticket: Record<string, unknown> = {};
    const end = await attempts.try('file_ticket', 60_000, async () => {
      ticket = { ...(await file(`problem with ${machine.name}: it needs to be looked at`, `${requester} asks for somebody to look at it${info.reason === undefined ? '.' : `: ${info.reason}`}`)) };
      return typeof ticket['url'] === 'string' ? ticket['url'] : undefined;
    });
    return end.outcome === 'succeeded' ? { kind: 'complete', machine: 'unknown', result: { ticket } } : { kind: 'failed', machine: 'unknown', code: end.fault, error: end.error };
  },
};
