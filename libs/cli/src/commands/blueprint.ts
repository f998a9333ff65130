import { Argument, type Command } from 'commander';
import { wholeList, type BlueprintView, type BlueprintQuery } from '@berth/client';
import { blueprintKind, type BlueprintKind } from '@berth/contracts';
import { blueprintExamples } from '../blueprint-examples.js';
import { readBlueprints } from '../blueprint-file.js';
import { leaf, type Context } from '../context.js';
import { yamlOf } from '../readable.js';
import { facts, pairs, relative, table } from '../text.js';
import { called, refusedAt, textOf } from '../yaml-file.js';
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
  const saved: { name: string; version: number | null }[] = [];
  for (const written of readBlueprints(await textOf(context.io, file), called(file))) {
    const { version } = await context.berth.blueprints.save(written.name, written.spec, { check }).catch((error: unknown) => {
      throw refusedAt(written, error, saved.map((one) => one.name));
    });
    saved.push({ name: written.name, version });
  }
  context.result({ items: saved }, () => saved.map((one) => `Blueprint ${one.name} is saved as version ${one.version ?? '?'}.`).join('\n'));
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
  return [head, view.refusedOffers.length > 0 ? refusedOffers : '', view.resources.length > 0 ? resourceTable(view.resources, colour) : '', yamlOf(view.spec)].filter(Boolean).join('\n\n');
}
