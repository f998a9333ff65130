import { randomUUID } from 'node:crypto';
import { rejected, type Answer, type JobTask } from '@berth/contracts';
import type { Scripted, Sent } from '../scripted.testing.js';

export const LIVE = '11111111-2222-4333-8444-555555555555';

/** What a job begins with. */
export const requested = (more: Record<string, unknown> = {}) => ({ type: 'JobRequested', data: { task: 'reboot' as JobTask, machine: 'box', force: false, softLimit: 600_000, hardLimit: 1_200_000, ...more } });

/** A job as it was asked for. */
export async function jobOf(berth: Scripted, more: Record<string, unknown> = {}, id: string = randomUUID()): Promise<string> {
  await berth.happen('job', id, requested(more));
  return id;
}

/** Answers requests for jobs as the gateway does: by its worker or machine it is queued, or refused. What is queued is stored before that is said. */
export function gateway(berth: Scripted) {
  return {
    RequestJob: async ({ id, data }: Sent): Promise<Answer> => {
      const worker = (data['worker'] as { id: string } | undefined)?.id;
      const task = data['task'] as JobTask;
      if (worker === 'stranger') return rejected('unknown-worker', 'There is no worker stranger.', [{ field: 'data.worker.id', message: 'is not known' }]);
      if (worker === 'cloudy') return rejected('unmanaged-worker', 'Nobody manages it.', [{ field: 'data.worker.id', message: 'has no machine' }]);
      if (worker === 'busy' || data['machine'] === 'busy') return rejected('job-live', `The task ${task} is under way on busy.`, [{ field: 'data.task', message: `is live as job ${LIVE}` }]);
      if (worker === 'bare') return rejected('unconfigured-task', 'The machine bare has no IPMI.', [{ field: 'data.task', message: 'needs the interface ipmi' }]);
      if (worker === 'odd') return rejected('invalid-data', 'It is refused.', [{ field: 'data.worker.id', message: 'is odd' }, { field: 'data.task', message: 'is odd too' }]);
      if (task === 'wake') return rejected('unpublished-task', 'The task wake is not published here.', [{ field: 'data.task', message: 'must be one of ping, reboot' }]);
      const position = await berth.happen('job', id, requested({ task, machine: data['machine'] ?? 'box', ...(worker !== undefined && { worker: data['worker'] }) }));
      return { accepted: true, id, position };
    },
  };
}
