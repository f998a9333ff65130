import { Argument, type Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { wholeList, ProblemError, type BlueprintView, type BlueprintQuery } from '@berth/client';
import { blueprintKind, type BlueprintKind } from '@berth/contracts';
import { blueprintExamples } from '../blueprint-examples.js';
import { readBlueprints, type WrittenBlueprint } from '../blueprint-file.js';
import { leaf, type Context } from '../context.js';
import { Failure, FAILED } from '../failure.js';
import { facts, pairs, relative, table } from '../text.js';
import { resourceTable } from './resource.js';

/** `berth blueprint …` */
export function blueprintCommands(program: Command, context: Context): void {
  const blueprint = program.command('blueprint').description('how resources are matched, made, kept and ended');
  leaf(blueprint, 'list', 'blueprints, what they answer to, and their resources').action(async () => {
    const page = await wholeList((query: BlueprintQuery) => context.berth.blueprints.list(query), {});
    context.result(page, () => listed(page.items, context.colour));
  });
  leaf(blueprint, 'show <name>', 'one blueprint: how it does, and its text').action(async (name: string) => {
    const view = await context.berth.blueprints.get(name);
    context.result(view, () => shown(view, context.colour));
  });
  leaf(blueprint, 'apply <file>', 'save blueprints from a YAML or JSON file; - is standard input')
    .option('--no-check', 'do not ask its provider whether it could launch')
    .action((file: string, { check }: { check: boolean }) => apply(context, file, check));
  leaf(blueprint, 'enable <name>', 'let it serve requests again').action(async (name: string) => {
    const answer = await context.berth.blueprints.enable(name);
    context.result(answer, () => `Blueprint ${name} is enabled.`);
  });
  leaf(blueprint, 'disable <name>', 'no new leases or launches of it; what is leased goes on')
    .option('--reason <text>', 'why, for whoever asks')
    .action(async (name: string, { reason }: { reason?: string }) => {
      const answer = await context.berth.blueprints.disable(name, reason);
      context.result(answer, () => `Blueprint ${name} is disabled.`);
    });
  leaf(blueprint, 'remove <name>', 'remove a blueprint of which no resource is left').action(async (name: string) => {
    const answer = await context.berth.blueprints.remove(name);
    context.result(answer, () => `Blueprint ${name} is removed.`);
  });
  leaf(blueprint, 'example', 'print an example of a kind, with comments, to begin with')
    .addArgument(new Argument('<kind>', blueprintKind.options.join(', ')).choices(blueprintKind.options))
    .action((kind: BlueprintKind) => {
      const yaml = blueprintExamples[kind];
      context.result({ kind, yaml }, () => yaml.trimEnd());
    });
}

async function apply(context: Context, file: string, check: boolean): Promise<void> {
  const name = file === '-' ? 'standard input' : file;
  const saved: { name: string; version: number | null }[] = [];
  for (const written of readBlueprints(await textOf(context, file), name)) {
    const { version } = await context.berth.blueprints.save(written.name, written.spec, { check }).catch((error: unknown) => {
      throw refused(written, saved.map((one) => one.name), error);
    });
    saved.push({ name: written.name, version });
  }
  context.result({ items: saved }, () => saved.map((one) => `Blueprint ${one.name} is saved as version ${one.version ?? '?'}.`).join('\n'));
}

/** The refusal of the service, with the place in the file, and with what was saved before it. */
function refused({ place, tell }: WrittenBlueprint, before: readonly string[], error: unknown): unknown {
  if (!(error instanceof ProblemError) || error.status === 0) return error;
  const done = before.length === 0 ? '' : ` Saved before it: ${before.join(', ')}.`;
  const told = error.errors.map(tell);
  // What the sentence says already gets its place there, and is not said again below it.
  const sentence = error.errors.reduce((text, { message }, i) => text.replace(message, () => told[i]!.message), error.message);
  return new Failure(error.code, `${place}: ${sentence}${done}`, told, FAILED);
}

async function textOf(context: Context, file: string): Promise<string> {
  if (file !== '-') {
    return readFile(resolve(context.io.cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Failure('file', `${file} can't be read (${error.code}).`);
    });
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of context.io.stdin ?? process.stdin) pieces.push(Buffer.from(piece as string));
  return Buffer.concat(pieces).toString('utf8');
}

const state = ({ enabled, breaker }: BlueprintView): string => (!enabled ? 'disabled' : breaker ? 'not launching' : 'enabled');

function listed(blueprints: BlueprintView[], colour: boolean): string {
  const summary = table(
    blueprints,
    [
      ['BLUEPRINT', (b) => b.name],
      ['TYPE', (b) => b.type],
      ['FREE', (b) => b.free],
      ['BUSY', (b) => b.busy],
      ['STATE', state],
      ['VERSION', (b) => (b.version === 0 ? 'built in' : b.version)],
      ['ANSWERS TO', (b) => [b.description || b.answersTo, pairs(b.attributes)].filter(Boolean).join(', ')],
    ],
    { colour },
  );
  const resources = blueprints.flatMap((b) => b.resources);
  return resources.length === 0 ? summary : `${summary}\n\n${resourceTable(resources, colour)}`;
}

/** Fields that are kept in milliseconds, and written as durations. */
const durations = new Set(['every', 'timeout', 'startTimeout', 'stopTimeout', 'idleTimeout', 'maxAge', 'boot', 'reachable']);

/** A spec as people would write it; read again, it is the same. */
function readable(value: unknown, key?: string): unknown {
  if (typeof value === 'number' && key !== undefined && durations.has(key) && value % 1000 === 0) return duration(value);
  if (Array.isArray(value)) return value.map((one) => readable(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, readable(inner, name)]));
}

/** Milliseconds as `1h30m`. */
function duration(ms: number): string {
  let left = ms;
  let text = '';
  for (const [unit, size] of [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const) {
    if (left >= size) text += `${Math.floor(left / size)}${unit}`;
    left %= size;
  }
  return text;
}

function shown(view: BlueprintView, colour: boolean): string {
  const { breaker, lastFailure, slots } = view;
  const others = (['booting', 'held', 'quarantined', 'draining', 'unreachable', 'broken'] as const).filter((key) => slots[key] > 0).map((key) => `${slots[key]} ${key}`);
  const head = facts([
    ['blueprint', view.name],
    ['kind', view.kind],
    ['state', state(view)],
    ['disabled', view.disabledReason],
    ['not launching', breaker && `${breaker.reason}; ${breaker.failures} ${breaker.failures === 1 ? 'launch' : 'launches in a row'} failed, next try ${relative(breaker.until)}`],
    ['last failure', lastFailure && `${relative(lastFailure.at)}: ${lastFailure.error} (${lastFailure.fault}${lastFailure.offer === null ? '' : `, ${lastFailure.offer}`})`],
    ['version', view.version === 0 ? 'built in' : view.version],
    ['saved', view.saved && relative(view.saved)],
    ['answers to', view.answersTo],
    ['slots', [`${slots.free} free`, `${slots.busy} busy`, ...others].join(', ')],
  ]);
  const refusedOffers = table(view.refusedOffers, [
    ['NOT TO BE HAD', (o) => o.offer],
    ['FAULT', (o) => o.fault],
    ['ERROR', (o) => o.error],
    ['UNTIL', (o) => relative(o.until)],
  ]);
  return [head, view.refusedOffers.length > 0 ? refusedOffers : '', view.resources.length > 0 ? resourceTable(view.resources, colour) : '', stringify(readable(view.spec)).trimEnd()].filter(Boolean).join('\n\n');
}
