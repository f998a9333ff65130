import { z } from 'zod';
import { schemas } from '@berth/client';
import type { Answer } from './describe.js';
import type { HttpProblem } from './problem.js';

/**
 * A "no" in the form that clients of other hardware controllers know: JSON that says what is wrong with which parameter, or in
 * one sentence why not. What is refused, and with which status, is decided as everywhere; only its form is another one.
 */
export function bareBody({ code, status, message, errors }: HttpProblem): { status: number; body: Record<string, unknown> } {
  switch (code) {
    case 'unknown-worker':
      return { status, body: { tc_worker_id: 'TC worker with that ID not found.' } };
    case 'unmanaged-worker':
      return { status, body: { tc_worker_id: 'Not managing hardware running that TC worker.' } };
    case 'unpublished-task':
      return { status: 400, body: { task_name: [message, ...errors.map((one) => one.message)] } };
    case 'job-live':
      return { status, body: { detail: message, task_id: liveJobOf(errors) } };
    case 'invalid-data':
    case 'invalid-command':
      return { status: 400, body: byField(errors.length > 0 ? errors : [{ field: 'non_field_errors', message }]) };
    default:
      return { status, body: { detail: message } };
  }
}

/** The job that is live stands in what is wrong with the task. */
function liveJobOf(errors: HttpProblem['errors']): string {
  const text = errors.map(({ message }) => message).join(' ');
  return /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text)?.[0] ?? '';
}

/** What the fields of the command are called by whoever asks in this form. */
const names: Readonly<Record<string, string>> = {
  task: 'task_name', worker: 'tc_worker_id', 'worker.id': 'tc_worker_id', 'worker.group': 'worker_group', 'worker.type': 'worker_type', 'worker.provisioner': 'provisioner_id',
  softLimit: 'soft_limit', hardLimit: 'hard_limit',
};

function byField(errors: HttpProblem['errors']): Record<string, string[]> {
  const all = new Map<string, string[]>();
  for (const { field, message } of errors) {
    const name = names[field] ?? field;
    all.set(name, [...(all.get(name) ?? []), message]);
  }
  return Object.fromEntries(all);
}

/** Every answer of a route of this form. */
export const bareAnswers: Readonly<Record<number, Answer>> = {
  201: schemas.JobTicket, 400: schemas.FieldMessages, 401: schemas.Detail, 403: schemas.Detail, 404: z.union([schemas.WorkerMissing, schemas.Detail]), 405: schemas.Detail, 406: schemas.Detail,
  409: z.union([schemas.LiveJob, schemas.Detail]), 429: schemas.Detail, 500: schemas.Detail, 503: schemas.Detail,
};
