import { describe, expect, test } from 'vitest';
import type { AnyRecorded } from '@berth/contracts';
import { Metrics } from '@berth/runtime';
import { parseMetrics } from '../../../../test/support/prometheus.js';
import { BuildFigures } from './builds.js';
import { ImageFigures } from './images.js';
import { JobFigures } from './jobs.js';
import { LeaseFigures } from './leases.js';

const at = (second: number) => new Date(Date.UTC(2030, 0, 1) + second * 1000).toISOString();
const lease = '7f8c1d66-0000-5000-8000-000000000001';
const commit = (kind: AnyRecorded['kind'], id: string, second: number, ...events: unknown[]) => ({ kind, id, sequence: second + 1, commit: { id: 'c', at: at(second), actor: 'spec', cause: 'c', events } }) as never;
const requested = { type: 'LeaseRequested', data: { type: 'host' } };
const acquired = { type: 'LeaseAcquired', data: { resource: lease, blueprint: 'local', slot: 0, token: 2 } };

const valueOf = async (metrics: Metrics, name: string, labels: Record<string, string> = {}): Promise<number | undefined> => {
  const families = parseMetrics((await metrics.text()).body);
  const samples = [...families.values()].flatMap((family) => family.samples);
  return samples.find((sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value;
};

describe('leases', () => {
  test('waiting, granted, used, over', async () => {
    const metrics = new Metrics();
    const figures = new LeaseFigures(metrics, () => Date.parse(at(7)));
    const value = (name: string, labels?: Record<string, string>) => valueOf(metrics, name, labels);
    figures.apply(commit('lease', lease, 0, requested));
    figures.apply(commit('lease', 'other', 5, requested));
    expect(await value('berth_lease_queue_depth', { type: 'host' })).toBe(2);
    expect(await value('berth_lease_queue_oldest_seconds', { type: 'host' })).toBe(7);
    figures.applyResource(commit('resource', 'r', 2, { type: 'SlotClaimed', data: { slot: 0, lease, owner: 'ada' } }));
    expect(await value('berth_lease_grant_seconds_sum', { type: 'host' })).toBe(2);
    figures.apply(commit('lease', lease, 2, acquired));
    expect(await value('berth_leases', { type: 'host', status: 'acquired' })).toBe(1);
    figures.apply(commit('lease', lease, 4, { type: 'LeaseActivated', data: {} }));
    expect(await value('berth_lease_wait_seconds_sum', { type: 'host', blueprint: 'local' })).toBe(4);
    expect(await value('berth_lease_wait_seconds_bucket', { type: 'host', blueprint: 'local', le: '2.5' })).toBe(0);
    expect(await value('berth_lease_wait_seconds_bucket', { type: 'host', blueprint: 'local', le: '5' })).toBe(1);
    expect(await value('berth_lease_queue_depth', { type: 'host' })).toBe(1);
    figures.apply(commit('lease', 'other', 8, { type: 'LeaseRefused', data: { reason: 'no' } }));
    figures.apply(commit('lease', lease, 9, { type: 'LeaseReleased', data: { reason: 'done', expired: true } }));
    figures.apply(commit('lease', lease, 10, { type: 'LeaseDestroyed', data: {} }));
    expect(await value('berth_leases_ended_total', { ended: 'refused' })).toBe(1);
    expect(await value('berth_leases_ended_total', { ended: 'expired' })).toBe(1);
    expect(await value('berth_leases', { type: 'host' })).toBeUndefined();
  });

  test('folded again after a restart they are the same', async () => {
    const commits = [commit('lease', lease, 0, requested), commit('lease', lease, 1, acquired, { type: 'LeaseActivated', data: {} }), commit('lease', lease, 3, { type: 'LeaseBroken', data: { error: 'x' } })];
    const texts = [];
    for (let run = 0; run < 2; run++) {
      const metrics = new Metrics();
      const figures = new LeaseFigures(metrics);
      for (const one of commits) figures.apply(one);
      texts.push((await metrics.text()).body);
    }
    expect(texts[0]).toBe(texts[1]);
    expect(texts[0]).toContain('berth_leases_ended_total{type="host",ended="broken"} 1');
  });
});

test('builds, their steps and actions, and each generation of its own', async () => {
  const metrics = new Metrics();
  const figures = new BuildFigures(metrics);
  const value = (name: string, labels?: Record<string, string>) => valueOf(metrics, name, labels);
  const plan = { steps: [{ run: 'true' }, { uses: 'approval' }] };
  const finished = (step: number, outcome: string, durationMs: number) => ({ type: 'StepFinished', data: { step, outcome, durationMs } });
  figures.apply(commit('build', 'b', 0, { type: 'BuildRequested', data: { plan } }));
  expect(await value('berth_builds', { status: 'pending' })).toBe(1);
  figures.apply(commit('build', 'b', 1, { type: 'BuildPreparing', data: {} }, { type: 'BuildStarted', data: {} }));
  expect(await value('berth_builds', { status: 'building' })).toBe(1);
  figures.apply(commit('build', 'b', 5, finished(0, 'failed', 4000), finished(1, 'skipped', 0), { type: 'BuildFailed', data: { error: 'x' } }));
  expect(await value('berth_builds', { status: 'building' })).toBe(0);
  figures.apply(commit('build', 'b', 20, { type: 'BuildRestarted', data: { plan } }));
  figures.apply(commit('build', 'b', 23, finished(0, 'passed', 1000), finished(1, 'passed', 500), { type: 'BuildPassed', data: {} }));
  expect(await value('berth_builds_total', { outcome: 'failed' })).toBe(1);
  expect(await value('berth_builds_total', { outcome: 'passed' })).toBe(1);
  expect(await value('berth_build_duration_seconds_sum', { outcome: 'passed' })).toBe(3);
  expect(await value('berth_step_duration_seconds_sum', { kind: 'run-command', outcome: 'failed' })).toBe(4);
  expect(await value('berth_step_duration_seconds_sum', { kind: 'approval', outcome: 'passed' })).toBe(0.5);
  expect(await value('berth_step_duration_seconds_count', { outcome: 'skipped' })).toBeUndefined();
  figures.applyAction(commit('action', 'a', 0, { type: 'ActionRequested', data: { spec: { kind: 'run-command' } } }));
  expect(await value('berth_actions', { kind: 'run-command' })).toBe(1);
  figures.applyAction(commit('action', 'a', 2, { type: 'ActionLost', data: { error: 'x' } }));
  expect(await value('berth_actions', { kind: 'run-command' })).toBeUndefined();
  expect(await value('berth_action_duration_seconds_sum', { kind: 'run-command', outcome: 'lost' })).toBe(2);
});

test('a gauge that can not be known is absent, and the others are told all the same', async () => {
  const metrics = new Metrics();
  metrics.gauge('berth_known', 'Known.', [], (gauge) => gauge.set(3));
  metrics.gauge('berth_away', 'Not known.', [], () => Promise.reject(new Error('away')));
  expect(await valueOf(metrics, 'berth_known')).toBe(3);
  expect(await valueOf(metrics, 'berth_away')).toBeUndefined();
});

test('hardware jobs, and each method that was tried', async () => {
  const metrics = new Metrics();
  const figures = new JobFigures(metrics);
  const value = (name: string, labels?: Record<string, string>) => valueOf(metrics, name, labels);
  figures.apply(commit('job', 'j', 0, { type: 'JobRequested', data: { task: 'reboot' } }));
  figures.apply(commit('job', 'other', 0, { type: 'JobRequested', data: { task: 'ping' } }));
  figures.apply(commit('job', 'j', 10, { type: 'JobStarted', data: {} }));
  expect([await value('berth_jobs', { status: 'QUEUED' }), await value('berth_jobs', { status: 'RUNNING' })]).toEqual([1, 1]);
  figures.apply(commit('job', 'j', 20, { type: 'AttemptStarted', data: { attempt: 1, method: 'ssh_reboot' } }, { type: 'AttemptEnded', data: { attempt: 1, outcome: 'failed', fault: 'stayed-up' } }, { type: 'AttemptSkipped', data: { attempt: 2, method: 'ipmi_reset' } }));
  figures.apply(commit('job', 'j', 40, { type: 'AttemptStarted', data: { attempt: 3, method: 'snmp_reboot' } }, { type: 'AttemptEnded', data: { attempt: 3, outcome: 'succeeded' } }, { type: 'JobCompleted', data: { machine: 'up' } }));
  for (const [method, outcome] of [['ssh_reboot', 'stayed-up'], ['ipmi_reset', 'skipped'], ['snmp_reboot', 'succeeded']] as const) expect(await value('berth_job_attempts_total', { method, outcome })).toBe(1);
  expect(await value('berth_job_duration_seconds_sum', { task: 'reboot', status: 'COMPLETE' })).toBe(40);
  expect(await value('berth_jobs', { status: 'RUNNING' })).toBe(0);
});

test('versions of images, each attempt at a target, and pushes', async () => {
  const metrics = new Metrics();
  const figures = new ImageFigures(metrics);
  const value = (name: string, labels?: Record<string, string>) => valueOf(metrics, name, labels);
  const version = lease;
  figures.apply(commit('image', 'web', 0, { type: 'VersionRequested', data: { version } }, { type: 'TargetStarted', data: { version, target: 'raw' } }, { type: 'TargetStarted', data: { version, target: 'oci' } }));
  figures.apply(commit('image', 'web', 30, { type: 'TargetCompleted', data: { version, target: 'raw' } }, { type: 'TargetFailed', data: { version, target: 'oci' } }, { type: 'VersionEnded', data: { version, status: 'PARTIAL' } }));
  // One that never began is over at once, and took no time that says anything.
  figures.apply(commit('image', 'web', 40, { type: 'TargetStarted', data: { version, target: 'oci' } }, { type: 'TargetFailed', data: { version: 'other', target: 'oci' } }));
  figures.apply(commit('image', 'web', 50, { type: 'TargetCompleted', data: { version, target: 'oci' } }, { type: 'VersionEnded', data: { version, status: 'COMPLETE' } }, { type: 'PushFailed', data: { version } }, { type: 'PushCompleted', data: { version } }, { type: 'PushCompleted', data: { version } }));
  expect([await value('berth_image_target_seconds_sum', { target: 'raw' }), await value('berth_image_target_seconds_sum', { target: 'oci' }), await value('berth_image_target_seconds_count', { target: 'oci' })]).toEqual([30, 40, 2]);
  expect([await value('berth_image_versions_total', { status: 'PARTIAL' }), await value('berth_image_versions_total', { status: 'COMPLETE' })]).toEqual([1, 1]);
  expect([await value('berth_image_pushes_total', { outcome: 'complete' }), await value('berth_image_pushes_total', { outcome: 'failed' })]).toEqual([2, 1]);
});

test('a machine that is taken as a whole is no lease that somebody waits for', async () => {
  const metrics = new Metrics();
  new LeaseFigures(metrics).apply(commit('lease', lease, 0, { type: 'LeaseRequested', data: { type: 'host', exclusive: { machine: 'box', force: false } } }));
  expect(await valueOf(metrics, 'berth_lease_queue_depth', { type: 'host' })).toBeUndefined();
});
