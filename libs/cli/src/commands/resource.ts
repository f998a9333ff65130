import type { Command } from 'commander';
import { wholeList, type ResourceQuery, type ResourceView } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { ends, facts, pairs, relative, table } from '../text.js';
import { serviceCommands } from './service.js';

/** `berth resource …` */
export function resourceCommands(program: Command, context: Context): void {
  const resource = program.command('resource').description('what blueprints have made: hosts, working copies, services, composites');
  leaf(resource, 'list', 'resources, and how they are')
    .option('--blueprint <name...>', 'only of these blueprints')
    .option('--type <type>', 'only these: host, working-copy, service, composite')
    .option('--status <status>', 'only these: active, booting, held, quarantined, draining, ending, unreachable, broken, destroyed (with commas)')
    .option('--owner <name...>', 'only held by these owners')
    .option('--attr <name:value...>', 'only with these attributes, such as os:linux')
    .action(async ({ blueprint, type, status, owner, attr }: ResourceQuery) => {
      const page = await wholeList((query: ResourceQuery) => context.berth.resources.list(query), { blueprint, type, status, owner, attr });
      context.result(page, () => (page.items.length === 0 ? 'No resources.' : resourceTable(page.items, context.colour)));
    });
  leaf(resource, 'show <id>', 'one resource').action(async (id: string) => {
    const view = await context.berth.resources.get(id);
    context.result(view, () => shown(view));
  });
  serviceCommands(resource, '<id>', context, (id, verb, input) => context.berth.resources.service(id, verb, input));
}

/** Resources, a line each. */
export const resourceTable = (resources: readonly ResourceView[], colour: boolean): string =>
  table(
    resources,
    [
      ['RESOURCE', (r) => r.id],
      ['NAME', (r) => r.name],
      ['BLUEPRINT', (r) => r.blueprint],
      ['STATE', (r) => r.state],
      ['FREE', (r) => `${r.free}/${r.slots}`],
      ['WHY', (r) => why(r)],
      ['ATTRIBUTES', (r) => pairs(r.attributes)],
    ],
    { colour },
  );

/** Why it can't be leased, or not for long. */
function why({ state, phase, error, held, quarantined, draining }: ResourceView): string | null {
  switch (state) {
    case 'held':
      return held && `${held.reason}, ${ends(held.until)}`;
    case 'quarantined':
      return quarantined && `${quarantined.reason}, ${ends(quarantined.until)}`;
    case 'draining':
      return draining;
    case 'booting':
      return phase;
    case 'broken':
    case 'unreachable':
      return error;
    case 'active':
    case 'ending':
    case 'destroyed':
      return null;
  }
}

function shown(r: ResourceView): string {
  const head = facts([
    ['resource', r.id],
    ['name', r.name],
    ['type', r.type],
    ['blueprint', r.version ? `${r.blueprint} v${r.version}` : r.blueprint],
    ['state', r.state],
    ['phase', r.phase],
    ['error', r.error],
    ['quarantined', r.quarantined && `${r.quarantined.reason}; ${ends(r.quarantined.until)}, ${r.quarantined.count} in a row`],
    ['held', r.held && `${r.held.reason}; ${ends(r.held.until)}`],
    ['draining', r.draining],
    ['health', r.health.failures > 0 ? `${r.health.failures} ${r.health.failures === 1 ? 'check' : 'checks in a row'} failed: ${r.health.error}` : null],
    ['machine', r.machine],
    ['address', r.address],
    ['slots', `${r.busy} of ${r.slots} in use, ${r.uses} leases so far`],
    ['stands on', r.parent && `lease ${r.parent.lease}${r.parent.own ? ' (its own)' : ''}`],
    ['members', r.members && pairs(r.members)],
    ['path', r.path],
    ['commit', r.commit],
    ['port', r.port],
    ['uri', r.uri],
    ['attributes', pairs(r.attributes)],
    ['facts', Object.keys(r.facts).length > 0 ? JSON.stringify(r.facts) : null],
    ['created', relative(r.created)],
    ['activated', r.activated && relative(r.activated)],
  ]);
  if (r.leases.length === 0) return head;
  const leases = table(r.leases, [
    ['SLOT', (l) => l.slot],
    ['LEASE', (l) => l.lease],
    ['OWNER', (l) => l.owner],
    ['SINCE', (l) => relative(l.since)],
  ]);
  return `${head}\n\n${leases}`;
}
