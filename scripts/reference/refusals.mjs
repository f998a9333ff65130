import { refusals } from '../../libs/contracts/dist/index.js';
import { MADE, markdown, page } from './markdown.mjs';

/** All codes of refusals. */
export function refusalsPage() {
  const row = ([code, status]) => {
    if (MEANINGS[code] === undefined) throw new Error(`the refusal ${code} has no meaning in scripts/reference/refusals.mjs: add one`);
    return [`\`${code}\``, String(status), MEANINGS[code]];
  };
  return page([
    '# Refusals',
    MADE,
    'A refusal on the bus is `{"accepted": false, "code", "message", "errors"}`. Over HTTP it is `application/problem+json` with the same `code`, and the status below. The command line ends with 1 for each.',
    markdown(['code', 'HTTP status', 'meaning'], Object.entries(refusals).map(row)),
    'HTTP has a few more of its own: [http.md](http.md).',
  ]);
}

const MEANINGS = {
  'invalid-json': 'what was sent is not JSON',
  'invalid-command': 'the envelope is wrong, or its type is not that of the subject',
  'unknown-command': 'the service has no such command',
  'invalid-data': 'the data of the command is wrong; `errors` names each field',
  'invalid-plan': 'the plan is not valid; `errors` has path, line and column',
  'unknown-plan': 'no plan is saved under that name',
  'unknown-build': 'there is no such build',
  'unknown-lease': 'there is no such lease, or it is gone',
  'unknown-machine': 'there is no such machine',
  'unknown-action': 'there is no such action',
  'unknown-blueprint': 'there is no such blueprint',
  'unknown-resource': 'there is no such resource',
  'unknown-token': 'there is no such token',
  'unknown-webhook': 'there is no such webhook',
  'unknown-secret': 'there is no such secret',
  'unknown-hardware': 'nothing is said of how a machine of that name is managed',
  'unknown-hardware-group': 'there is no group of hardware of that name',
  'unknown-worker': 'no worker of that id is known',
  'unknown-job': 'there is no such hardware job, or none that waits for this',
  'unmanaged-worker': 'the worker is known, and no machine that runs it is managed',
  'unpublished-task': 'the task is none of those that are published here (`BERTH_JOB_TASKS`)',
  'unconfigured-task': 'the machine does not have what the task needs',
  'job-live': 'the same task is under way on that machine; `errors` names the job',
  'job-ended': 'the hardware job is over',
  'hardware-in-use': 'a job is live on the machine, it is lent, or the group has machines',
  'loan-live': 'the machine is lent',
  'no-loan': 'the machine is not lent',
  'sealing-key-changed': 'a value was sealed to a key that the gateway no longer has: send it again',
  'no-new-key': 'the key of the secrets comes from the environment, which has no new one yet',
  'name-taken': 'another machine, or another token, has that name',
  'lease-ended': 'the lease is over: ask for a new one',
  'lease-not-active': 'the lease cannot be used yet, or no longer',
  'build-ended': 'the build is over',
  'not-restartable': 'the plan says that its builds are not run again',
  'not-allowed': 'whoever asks is none of those who may',
  'unknown-step': 'the build has no step of that id',
  'step-ended': 'the step is over, or was decided on before',
  'step-not-over': 'the step, or one that builds on it, still runs or waits',
  'stale-token': "the fencing token is not that of the lease's present grant",
  'blueprint-in-use': 'resources of the blueprint are left: it can be disabled, and removed when they are gone',
  'built-in': 'the blueprint is built in and cannot be removed: disable it',
  'limit-in-use': 'more is in use than the new limit would allow',
  unservable: 'nothing there could ever serve the request, or not now and it was not to wait; over HTTP with the `explanation`',
  'provider-refused': 'the provider says that a launch could not work; `errors` names the field of the blueprint',
  'machine-unreachable': 'nothing answers at that address',
  'machine-refused': 'the machine does not let us in, is not what was said, or could not do it',
  'host-key-changed': 'the machine shows another key than the pinned one',
  'machine-changed': 'somebody else changed the machine while this change was being tried: look at it and send it again',
  'path-outside': 'the path leaves the working copy',
  'too-many-sessions': 'so many terminals and forwards are open under the lease that there is no room for another',
  unavailable: 'a part of Berth does not answer: send the same id again',
  unauthorized: 'HTTP: no token or session, or one that opens nothing (any more)',
  forbidden: 'HTTP: whoever asks may not do this: the role, the projects or the owner forbid it',
  'rate-limited': 'HTTP: too many requests, or too many wrong tokens: wait as long as `Retry-After` says',
  'not-found': 'there is nothing of that kind under that name',
};
