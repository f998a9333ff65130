import type { HardwareEvent, HardwareGroupEvent, JobEvent } from '@berth/contracts';
import { span } from '../ui/time';
import { because, count } from './text';
import type { Words } from './words';

export const hardwareWords: Words<HardwareEvent> = {
  HardwareSet: ({ address, interfaces, workers }) => `Managed at ${address}${Object.keys(interfaces).length === 0 ? '' : ` by ${Object.keys(interfaces).join(', ')}`}${workers.length === 0 ? '' : `; runs ${count(workers.length, 'worker')}`}.`,
  HardwareRemoved: () => 'Not managed any more; its name is free.',
  LoanRequested: ({ to, steps }) => `Lent to ${to}${steps.length === 0 ? '' : `, once ${count(steps.length, 'step')} ${steps.length === 1 ? 'is' : 'are'} done`}.`,
  LoanStepDone: ({ step }) => `Step ${step + 1} of the loan is done.`,
  LoanActivated: () => 'The loan is active.',
  LoanReturned: () => 'It is back.',
};

export const hardwareGroupWords: Words<HardwareGroupEvent> = {
  HardwareGroupSet: ({ escalation }) => `How its machines are driven is set${escalation === undefined ? '' : `: ${escalation.map(({ method }) => method).join(', ')}`}.`,
  HardwareGroupRemoved: () => 'The group is no more; its name is free.',
};

export const jobWords: Words<JobEvent> = {
  JobRequested: ({ task, machine, worker, force, reason, to }) => `Asked for ${task} on ${machine}${worker === undefined ? '' : `, for worker ${worker.id}`}${to === undefined ? '' : `, for ${to}`}${force ? ', by force' : ''}${because(reason)}.`,
  JobStarted: () => 'It has the machine.',
  JobNoted: ({ activity }) => `${activity.charAt(0).toUpperCase()}${activity.slice(1)}.`,
  AttemptStarted: ({ attempt, method }) => `Attempt ${attempt}: ${method}.`,
  AttemptStep: ({ attempt, step }) => `Attempt ${attempt} has come to: ${step}.`,
  AttemptSkipped: ({ attempt, method, reason }) => `Attempt ${attempt}, ${method}, is skipped: ${reason}.`,
  AttemptEnded: ({ attempt, outcome, fault, error, durationMs }) => `Attempt ${attempt} ${outcome} after ${span(durationMs)}${fault === undefined ? '' : ` (${fault})`}${error === undefined ? '' : `: ${error}`}.`,
  TicketTold: ({ tracker, id, how }) => `The ticket ${id} at ${tracker} was ${how === 'commented' ? 'commented on' : how}.`,
  CancelRequested: ({ reason }) => `It is to end${because(reason)}.`,
  InstallationReported: () => 'The installation has finished.',
  JobCompleted: ({ machine }) => `Complete; the machine is ${machine}.`,
  JobFailed: ({ machine, code, error }) => `Failed (${code}), and the machine is ${machine}: ${error}.`,
  JobCancelled: ({ reason }) => `Cancelled${because(reason)}.`,
};
