import type { Command } from 'commander';
import { resolve } from 'node:path';
import type { ArtifactView, BuildQuery, BuildView } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { downloadArtifact } from '../download.js';
import { Exit, FAILED } from '../failure.js';
import { watchBuild } from '../follow.js';
import { count, keyValue, time } from '../options.js';
import { facts, printable, relative, size, span, table } from '../text.js';
import { controlCommands } from './build-control.js';
import { logCommand } from './build-log.js';

interface StartOptions {
  var?: Record<string, string>;
  watch?: boolean;
  project?: string;
  ref?: string;
  priority?: number;
  holdOnFailure?: number;
  host?: Record<string, string>;
}

/** `berth build …` */
export function buildCommands(program: Command, context: Context): void {
  const build = program.command('build').description('builds');
  // Leases are requested, so some will say it of builds too.
  for (const [word, hidden] of [['start', false], ['request', true]] as const) {
    build
      .command(`${word} <plan>`, { hidden })
      .description('start a build of a plan')
      .option('--json', 'one JSON value on standard output')
      .option('--var <name=value...>', 'variables, added to the environment of every step', keyValue)
      .option('--ref <ref>', 'branch, tag or commit to build, instead of the one that the plan names')
      .option('--project <name>', 'whom it acts for: blueprints may be open to some projects only')
      .option('--priority <number>', 'of its leases: higher is served first', count)
      .option('--hold-on-failure <duration>', 'keep the host for so long when it fails, for debugging; goes before the plan', time)
      .option('--host <key=value...>', 'what its hosts must be besides what the plan says; goes before the plan', keyValue)
      .option('--watch', 'show it until it has ended')
      .action((plan: string, options: StartOptions) => start(context, plan, options));
  }
  leaf(build, 'list', 'builds, newest first')
    .option('--status <status>', 'only these: pending, preparing, building, paused, passed, failed, aborted, error (with commas)')
    .option('--plan <name...>', 'only of these plans')
    .option('--project <name...>', 'only of these projects')
    .option('--initiator <name...>', 'only of these initiators')
    .option('--ref <ref...>', 'only of these refs')
    .option('--machine <name...>', 'only on these machines')
    .option('--sort <order>', 'created or modified; with - before it the newest first')
    .option('--limit <count>', 'at most so many', count)
    .option('--cursor <cursor>', 'from this place of an earlier list on')
    .action(async ({ status, plan, project, initiator, ref, machine, sort, limit, cursor }: BuildQuery) => {
      const page = await context.berth.builds.list({ status, plan, project, initiator, ref, machine, sort, limit, cursor });
      context.result(page, () => (page.items.length === 0 ? 'No builds.' : listed(page.items, context.colour) + (page.cursor === null ? '' : `\nMore: --cursor ${page.cursor}`)));
    });
  leaf(build, 'show <id>', 'one build').action(async (id: string) => {
    const view = await context.berth.builds.get(id);
    context.result(view, () => shown(view, context.colour));
  });
  leaf(build, 'watch <id>', 'show a build until it has ended: 0 only when it passed').action((id: string) => watch(context, id));
  logCommand(build, context);
  leaf(build, 'artifacts <id>', 'what a build has kept')
    .option('--download <folder>', 'save them all in this folder; what was begun is gone on with')
    .action((id: string, { download }: { download?: string }) => artifacts(context, id, download));
  controlCommands(build, context);
}

async function start(context: Context, plan: string, { var: variables = {}, project, ref, priority, holdOnFailure, host, watch: watched }: StartOptions): Promise<void> {
  const more = { ...(project !== undefined && { project }), ...(ref !== undefined && { ref }), ...(priority !== undefined && { priority }), ...(holdOnFailure !== undefined && { holdOnFailure }), ...(host && { host }) };
  const initiator = context.asker('cli');
  const { id } = await context.berth.builds.request({ plan, variables, ...(initiator !== undefined && { initiator }), ...more });
  if (watched) return watch(context, id);
  context.result({ id }, () => id);
}

async function watch(context: Context, id: string): Promise<void> {
  const { io, json } = context;
  // With --json the one value on stdout is the result; what is watched goes beside it.
  const build = await watchBuild(context.berth, id, json ? io.stderr : io.stdout);
  context.result(build, () => shown(build, context.colour));
  if (build.status !== 'passed') throw new Exit(FAILED);
}

async function artifacts(context: Context, id: string, download: string | undefined): Promise<void> {
  const { items } = await context.berth.builds.artifacts(id);
  const saved: (ArtifactView & { path?: string })[] = [];
  for (const artifact of items) {
    const { name, bytes, sha256 } = artifact;
    if (download === undefined || bytes === null || sha256 === null) saved.push(artifact);
    else {
      const path = await downloadArtifact((rest) => context.berth.builds.artifact(id, name, rest && { rest }), { name, bytes, sha256 }, resolve(context.io.cwd, download));
      saved.push({ ...artifact, path });
    }
  }
  context.result({ items: saved, cursor: null }, () =>
    saved.length === 0
      ? 'No artifacts.'
      : table(saved, [
          ['ARTIFACT', (a) => a.name],
          ['TYPE', (a) => a.type],
          ['SIZE', (a) => (a.bytes === null ? null : size(a.bytes))],
          ['SHA-256 OR ADDRESS', (a) => a.sha256 ?? a.uri],
          ['KEPT', (a) => (a.pinned ? 'pinned' : null)],
          ...(download === undefined ? [] : [['FILE', (a: { path?: string }) => a.path] as const]),
        ]),
  );
}

const listed = (builds: BuildView[], colour: boolean): string =>
  table(
    builds,
    [
      ['BUILD', (b) => b.id],
      ['PLAN', (b) => `${b.plan} v${b.planVersion}`],
      ['STATUS', (b) => b.status],
      ['DONE', (b) => `${b.percent}%`],
      ['BY', (b) => b.initiator],
      ['CREATED', (b) => relative(b.created)],
      ['ACTIVITY', (b) => b.error ?? b.activity],
    ],
    { colour },
  );

function shown(build: BuildView, colour: boolean): string {
  const head = facts([
    ['build', build.id],
    ['plan', `${build.plan} v${build.planVersion}`],
    ['status', `${build.status} (${build.percent}%)`],
    ['activity', build.activity],
    ['error', build.error],
    ['command', build.failure?.command],
    ['ref', build.ref],
    ['commit', build.commit],
    ['generation', build.generation > 1 ? build.generation : null],
    ['started by', build.initiator],
    ['project', build.project],
    ['called by', build.parent && `step ${build.parent.step} of build ${build.parent.build}`],
    ['address', build.url],
    ...(build.hosts.length > 1 ? build.hosts.map((host) => [`host ${host.name}`, `lease ${host.hostLease}${host.machine === null ? '' : `, ${host.machine}`}`] as const) : [['host lease', build.hostLease] as const, ['working copy lease', build.workingCopyLease] as const]),
    ['attempt', build.attempt > 1 ? build.attempt : null],
    ['created', relative(build.created)],
    ['cleaned up', build.cleanedUp ? 'yes' : 'not yet'],
  ]);
  const steps = table(
    build.steps,
    [
      ['STEP', (s) => s.name],
      ['ID', (s) => s.id],
      ['OUTCOME', (s) => (s.tries > 1 ? `${s.outcome} (try ${s.tries})` : s.outcome)],
      ['TIME', (s) => (s.durationMs === null ? null : span(s.durationMs))],
      ['EXIT', (s) => s.exitCode],
      ['ERROR', (s) => s.error],
    ],
    { colour },
  );
  const reports = build.steps.flatMap((step) => (step.report ? [`${step.name}: ${reported(step.report)}`] : [])).join('\n');
  const kept = build.artifacts.map((a) => (a.uri !== null ? `${a.name}  ${a.uri}` : `${a.name}  ${size(a.bytes ?? 0)}  sha256 ${a.sha256}`)).join('\n');
  const tail = build.failure?.tail === undefined ? '' : `last lines of ${build.failure.step}:\n${printableLines(build.failure.tail)}`;
  return [head, steps, reports, tail, kept].filter(Boolean).join('\n\n');
}

function reported({ tests, lint }: NonNullable<BuildView['steps'][number]['report']>): string {
  const parts = [
    ...(tests ? [`${tests.total} tests, ${tests.failed + tests.broken} failed, ${tests.skipped} skipped`] : []),
    ...(lint ? [`${lint.errors} errors, ${lint.warnings} warnings, ${lint.notes} notes`] : []),
  ];
  return parts.join('; ');
}

/** What a host printed must not steer the terminal. */
const printableLines = (text: string): string => text.split('\n').map((line) => `  ${printable(line)}`).join('\n');
