import { expect, test } from 'vitest';
import { after, BUILD, COPY, fail, HOST, phases, request } from '../spec/examples.js';
import { ids } from './ids.js';
import { buildDecider, type Build, type BuildCommand } from './build.js';
import { buildStatus } from './status.js';

const statusOf = (build: Build) => buildStatus(BUILD, build as Exclude<Build, { status: 'none' }>, []).data;

test.each([
  ['pending', 'pending', 0, 'queued', null],
  ['preparing the host', 'preparing', 0, 'preparing host', null],
  ['preparing the working copy', 'preparing', 25, 'preparing working copy', null],
  ['running the first step', 'building', 50, 'step 1 of 2: Test', null],
  ['running the last step', 'building', 75, 'step 2 of 2: Keep the package', null],
  ['passed', 'passed', 100, 'cleaning up', null],
  ['failed', 'failed', 50, 'cleaning up', 'step Test failed: exit code 1'],
  ['aborted', 'aborted', 0, 'cleaning up', 'not needed'],
  ['errored', 'error', 0, 'cleaning up', 'no such repository'],
  ['passed and cleaned up', 'passed', 100, 'cleaned up', null],
] as const)('%s', (phase, status, percent, activity, error) => {
  expect(statusOf(phases[phase])).toMatchObject({ id: BUILD, status, percent, activity, error, plan: 'wordcount', planVersion: 3, initiator: 'ada', cleanedUp: activity === 'cleaned up' });
});

test('a build names its leases and its step', () => {
  expect(statusOf(phases.pending)).toMatchObject({ hostLease: null, workingCopyLease: null, step: null });
  expect(statusOf(phases['preparing the host'])).toMatchObject({ hostLease: HOST, workingCopyLease: null });
  expect(statusOf(phases['passed and cleaned up'])).toMatchObject({ hostLease: HOST, workingCopyLease: COPY, step: { step: 1, name: 'Keep the package', of: 2 } });
});

test('one that is tried again says where and why', () => {
  const second = after(request, { type: 'Retry', build: BUILD, attempt: 1, error: 'no route' });
  expect(statusOf(second)).toMatchObject({ activity: 'preparing host (attempt 2 of 3, after: no route)', hostLease: ids.hostLease(BUILD, 2) });
});

test('one whose host is held says until when, and no more once it is cleaned up', () => {
  const held = after(request, { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 }, { type: 'Start', build: BUILD, attempt: 1, path: '/', commit: undefined }, fail, { type: 'NoteHold', activity: 'host held until noon' });
  expect(statusOf(held)).toMatchObject({ status: 'failed', activity: 'host held until noon', error: 'step Test failed: exit code 1' });
  expect(statusOf(buildDecider.evolve(held, { type: 'BuildCleanedUp', data: {} }))).toMatchObject({ activity: 'cleaned up' });
});

test('whom it acts for', () => {
  expect(statusOf(phases.passed)).toMatchObject({ project: null });
  expect(statusOf(after({ ...request, project: 'compilers' } as BuildCommand))).toMatchObject({ project: 'compilers' });
});

test.each([
  ['dev.cdevents.build.queued.0.2.0', { type: 'BuildRequested' }],
  ['dev.cdevents.build.started.0.2.0', { type: 'BuildStarted' }],
  ['dev.cdevents.build.finished.0.2.0', { type: 'BuildAborted' }],
  ['dev.berth.build.building', { type: 'StepStarted' }],
])('%s', (name, event) => {
  expect(buildStatus(BUILD, phases['running the first step'] as Exclude<Build, { status: 'none' }>, [event as never]).name).toBe(name);
});
