import type { BuildEvent } from '@berth/contracts';
import { span } from '../ui/time';
import { because, bytes, by, count, short } from './text';
import type { Words } from './words';

const numbered = (steps: readonly number[]): string => steps.map((step) => step + 1).join(', ');

export const buildWords: Words<BuildEvent> = {
  BuildRequested: ({ plan }) => `A build of plan ${typeof plan === 'string' ? plan : plan.name} is asked for.`,
  BuildAdmitted: () => 'It need not wait for other builds any more.',
  BuildPreparing: ({ attempt, hostLease, host }) => `Asks for a host${host === undefined ? '' : ` (${host})`}: lease ${short(hostLease)}${attempt > 1 ? `, attempt ${attempt}` : ''}.`,
  BuildWorkingCopyRequested: ({ workingCopyLease, host }) => `The host is there; asks for a working copy on it${host === undefined ? '' : ` (${host})`}: lease ${short(workingCopyLease)}.`,
  BuildWaiting: ({ activity }) => `${activity}.`,
  BuildStarted: ({ path, commit, machine }) => `The working copy is there${machine === undefined ? '' : ` on ${machine}`}, in ${path}${commit === undefined ? '' : ` at commit ${commit.slice(0, 12)}`}.`,
  BuildHostReleased: ({ host }) => `No step needs host ${host} any more: it is given back.`,
  BuildPaused: ({ reason, by: who }) => `Paused${by(who)}${because(reason)}.`,
  BuildResumed: ({ by: who }) => `Goes on${by(who)}.`,
  BuildMessaged: ({ step, type, text, by: who }) => `Step ${step + 1} was told "${type}"${by(who)}${because(text)}.`,
  StepStarted: ({ step, name, attempt = 1 }) => `Step ${step + 1}, ${name}, begins${attempt > 1 ? `, try ${attempt}` : ''}.`,
  StepFinished: ({ step, outcome, error, exitCode, durationMs, again }) =>
    `Step ${step + 1} ${outcome === 'lost' ? 'is lost' : outcome === 'passed' || outcome === 'failed' ? outcome : `is ${outcome}`}${durationMs > 0 ? ` after ${span(durationMs)}` : ''}${exitCode === undefined || exitCode === 0 ? '' : `, exit code ${exitCode}`}${because(error)}${again ? '; it is tried again' : ''}.`,
  StepsReset: ({ steps, reason }) => `${steps.length === 1 ? 'Step' : 'Steps'} ${numbered(steps)} run again${because(reason)}.`,
  ReportPublished: ({ step, report }) => `Step ${step + 1} reports: ${report.tests ? `${report.tests.passed} of ${count(report.tests.total, 'test')} passed` : report.format}.`,
  ArtifactKept: ({ name, bytes: size }) => `Kept ${name}, ${bytes(size)}.`,
  LinkAdded: ({ name, uri, by: who }) => `Link ${name} to ${uri} added${by(who)}.`,
  ArtifactPinned: ({ name, pinned }) => (pinned ? `Artifact ${name} is kept whatever the plan says.` : `Artifact ${name} is kept as the plan says.`),
  ArtifactReleased: ({ name, reason }) => `Artifact ${name} is no longer kept${because(reason)}.`,
  BuildPassed: () => 'Passed.',
  BuildFailed: ({ error }) => `Failed: ${error}.`,
  BuildAborted: ({ reason, by: who }) => `Aborted${by(who)}${because(reason)}.`,
  BuildErrored: ({ error }) => `Could not be carried out: ${error}.`,
  BuildRetried: ({ error, yieldedTo }) => (yieldedTo === undefined ? `Its host failed, and another is asked for: ${error}.` : `Made way for the older build ${short(yieldedTo)}: ${error}.`),
  BuildRestarted: ({ generation, reason, by: who }) => `Begins anew as generation ${generation}${by(who)}${because(reason)}.`,
  BuildCleanedUp: () => 'All its leases are destroyed; nothing of it is left on a host.',
};
