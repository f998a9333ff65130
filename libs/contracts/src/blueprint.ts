import { z } from 'zod';
import { attributes, name, platform, span, wants } from './scalars.js';
import { credential, folder, hostKey } from './machine.js';
import { allow } from './who.js';
import { workingCopySpec } from './working-copy.js';

/** Types of resources that a lease may ask for. */
export const resourceType = z.enum(['host', 'working-copy', 'service', 'composite']);
export type ResourceType = z.infer<typeof resourceType>;

/** Kinds of blueprints: each makes one type of resource in its own way. */
export const blueprintKind = z.enum(['preallocated', 'local', 'ec2', 'working-copy', 'service', 'composite']);
export type BlueprintKind = z.infer<typeof blueprintKind>;

/** What each kind makes, and what it answers to. */
export const blueprintKinds = {
  preallocated: { type: 'host', answersTo: 'hosts among the enrolled machines' },
  local: { type: 'host', answersTo: 'the host that Berth itself runs on' },
  ec2: { type: 'host', answersTo: 'hosts that are launched on Amazon EC2' },
  'working-copy': { type: 'working-copy', answersTo: 'working copies on a leased host (host.lease)' },
  service: { type: 'service', answersTo: 'a service started on a leased host' },
  composite: { type: 'composite', answersTo: 'a named set of other leases, all or none' },
} as const satisfies Record<BlueprintKind, { type: ResourceType; answersTo: string }>;

const count = z.number().int().min(1).max(1_000_000);
const shell = z.string().min(1).max(65_536);
const milliseconds = { s: 1000, m: 60_000, h: 3_600_000 } as const;

/** How it is found out whether a host is fit to be leased. */
const healthCheck = z.strictObject({
  command: shell.describe('a shell command on the host; exit code 0 = healthy'),
  every: span.default(60_000).describe('between two checks'),
  timeout: span.default(30_000),
  failures: z.number().int().min(1).max(100).default(3).describe('so many in a row and the host is quarantined'),
});
const readyCheck = z.strictObject({
  command: shell.describe('a shell command on the new resource; exit code 0 = ready. Tried until `timeout`'),
  timeout: span.default(10 * milliseconds.m),
});

/** How many hosts are kept, and for how long. */
export const pool = z.strictObject({
  minIdle: z.number().int().min(0).max(10_000).default(0).describe('kept free above those in use'),
  max: count.optional().describe('never more at a time; limits.resources holds besides'),
  idleTimeout: span.default(10 * milliseconds.m).describe('a host that nobody used for so long is ended, down to minIdle'),
  maxAge: span.optional().describe('older ones get no new lease and end with their last one'),
  maxUses: count.optional().describe('so many leases and it ends'),
  schedule: z
    .array(
      z.strictObject({
        cron: z.string().min(9).max(128).describe('five fields, in UTC unless `timezone` says otherwise: from then on the values here hold, until another entry is due'),
        timezone: z.string().max(64).optional().describe('such as Europe/Berlin'),
        minIdle: z.number().int().min(0).max(10_000).optional(),
        max: z.number().int().min(0).max(1_000_000).optional(),
      }),
    )
    .max(50)
    .default([]),
});
export type Pool = z.output<typeof pool>;

const common = {
  name,
  description: z.string().max(500).default(''),
  attributes: attributes.default({}).describe('that all it gives has; they go before what was probed'),
  allow: allow.default({ projects: [], owners: [] }),
  rank: z.number().int().min(0).max(1000).default(100).describe('lower is used first when several fit'),
  price: z
    .strictObject({ perHour: z.number().min(0).max(1_000_000), currency: z.string().regex(/^[A-Z]{3}$/, 'use a currency by its three letters such as EUR').default('USD') })
    .optional()
    .describe('what a host of it costs, for reports of usage'),
  limits: z
    .strictObject({
      resources: count.optional().describe('at a time'),
      leases: count.optional().describe('at a time'),
      leasesPerOwner: count.optional().describe('at a time'),
    })
    .default({}),
};
const folders = z.partialRecord(platform, folder).default({}).describe('base folder on a host by platform, where the machine names none');

const preallocated = z.strictObject({
  ...common,
  kind: z.literal('preallocated'),
  machines: wants.default({}).describe('only enrolled machines with these attributes; of several blueprints that fit a machine, the one with the lowest rank has it'),
  slots: z.number().int().min(1).max(1000).optional().describe('per host, whatever the machine says'),
  folders,
  health: healthCheck.optional(),
});
const local = z.strictObject({
  ...common,
  kind: z.literal('local'),
  slots: z.number().int().min(1).max(1000).optional().describe('one per CPU when absent'),
  folders,
  health: healthCheck.optional(),
});

const market = z.enum(['spot', 'on-demand']);
const weight = z.number().min(0).max(1000).default(1).describe('how often it is the first to be tried, against the others in its list; all equal = the order of the list');
const subnet = z.string().regex(/^subnet-[0-9a-f]{8,17}$/, 'use a subnet id such as subnet-0123456789abcdef0');
const ec2 = z.strictObject({
  ...common,
  kind: z.literal('ec2'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'use a region such as eu-central-1'),
  endpoint: z.url({ protocol: /^https?$/ }).optional().describe('another server than the one of the region'),
  credentials: z
    .string()
    .regex(/^(default|profile:[A-Za-z0-9._-]+|env:[A-Za-z_][A-Za-z0-9_]*)$/, 'use default, profile:NAME, or env:PREFIX (PREFIX_ACCESS_KEY_ID, PREFIX_SECRET_ACCESS_KEY)')
    .default('default')
    .describe("of the AWS account, by reference: `default` is the SDK's own chain"),
  image: z
    .union([
      z.strictObject({ ami: z.string().regex(/^ami-[0-9a-f]{8,17}$/, 'use an image id such as ami-0123456789abcdef0') }),
      z.strictObject({ name, channel: name.default('stable') }),
    ])
    .describe('an AMI; or an image and a channel of it, whose version is launched. Where Berth has no image of that name: the newest AMI tagged `berth:image` = name and `berth:channel` = channel'),
  types: z
    .array(z.strictObject({ type: z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'use an instance type such as c7i.large'), weight, attributes: attributes.default({}).describe('known before it is launched, such as cpus and memory') }))
    .min(1, 'name at least one instance type')
    .max(50),
  zones: z.array(z.strictObject({ zone: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'use a zone such as eu-central-1a').optional(), subnet: subnet.optional(), weight })).max(20).default([]),
  markets: z.array(z.strictObject({ market, weight, maxPrice: z.string().regex(/^\d+(\.\d+)?$/, 'use US dollars per hour such as 0.12').optional() })).min(1).max(2).default([{ market: 'on-demand', weight: 1 }]),
  keyName: z.string().max(255).optional(),
  securityGroups: z.array(z.string().regex(/^sg-[0-9a-f]{8,17}$/, 'use a security group id such as sg-0123456789abcdef0')).max(16).default([]),
  instanceProfile: z.string().max(256).optional().describe('name or ARN'),
  userData: z.string().max(12_288).optional().describe('as text; no secrets: whoever may see events sees it'),
  volumes: z
    .array(z.strictObject({ device: z.string().min(1).max(32), sizeGiB: z.number().int().min(1).max(65_536), type: z.enum(['gp2', 'gp3', 'io1', 'io2', 'st1', 'sc1', 'standard']).default('gp3') }))
    .max(16)
    .default([]),
  tags: z.record(z.string().min(1).max(128).regex(/^(?!aws:|berth:)/i, 'must not begin with aws: or berth:'), z.string().max(256)).default({}),
  address: z.enum(['private', 'public', 'dns']).default('private').describe('which one Berth connects to'),
  port: z.number().int().min(1).max(65_535).default(22),
  user: z.string().regex(/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/, 'use a login name'),
  credential,
  hostKey: z.union([z.literal('console'), hostKey]).default('console').describe("learnt from the instance's console output, or given when the image has a fixed one"),
  platform: platform.exclude(['windows']).default('linux'),
  folder: folder.default('~/.berth-host'),
  slots: z.number().int().min(1).max(1000).default(1),
  timeouts: z
    .strictObject({
      boot: span.default(5 * milliseconds.m).describe('from the launch until it runs and has an address'),
      reachable: span.default(5 * milliseconds.m).describe('until it lets us in'),
    })
    .default({ boot: 5 * milliseconds.m, reachable: 5 * milliseconds.m }),
  ready: readyCheck.optional(),
  health: healthCheck.optional(),
  pool: pool.default({ minIdle: 0, idleTimeout: 10 * milliseconds.m, schedule: [] }),
});

const workingCopy = z.strictObject({
  ...common,
  kind: z.literal('working-copy'),
  reuse: z
    .enum(['never', 'project', 'anybody'])
    .default('never')
    .describe('keep the clone on its host for the next lease of the same repositories: of the same project, or of anybody. It is cleaned (git clean -ffdx) in between'),
  keep: z.number().int().min(1).max(1000).default(5).describe('clones kept on one host; the one that was not used for longest goes first'),
  host: z.strictObject({ attributes: wants.default({}), blueprints: z.array(name).max(16).default([]) }).default({ attributes: {}, blueprints: [] }).describe('the host it leases for itself when the request names none'),
});

const service = z.strictObject({
  ...common,
  kind: z.literal('service'),
  on: z
    .strictObject({ attributes: wants.default({}), blueprints: z.array(name).max(16).default([]), workingCopy: z.strictObject(workingCopySpec.shape).optional() })
    .default({ attributes: {}, blueprints: [] })
    .describe('what it leases to run on when the request names no lease: a host, or with `workingCopy` a working copy'),
  port: z
    .union([z.number().int().min(1).max(65_535), z.strictObject({ from: z.number().int().min(1024).max(65_535), to: z.number().int().min(1024).max(65_535) }).refine(({ from, to }) => from <= to, 'from must not be above to')])
    .optional()
    .describe('the port it listens on, or a range to take a free one from; PORT in the environment of its commands'),
  env: z.record(z.string().regex(/^(?!BERTH_)[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name is letters, digits and "_", and does not begin with BERTH_'), z.string()).default({}),
  start: shell.describe('a shell command that starts it and ends; what it leaves running is the service'),
  startTimeout: span.default(10 * milliseconds.m),
  ready: readyCheck.optional(),
  stop: shell.optional().describe('a shell command that ends it in good order; what is left after that is killed'),
  stopTimeout: span.default(milliseconds.m),
  uri: z.string().max(2048).optional().describe('where it is, with {address} and {port} filled in, such as http://{address}:{port}/'),
});

const member = z.strictObject({
  type: resourceType,
  attributes: wants.default({}),
  blueprints: z.array(name).max(16).default([]),
  on: name.optional().describe('another member, whose lease it stands on'),
  workingCopy: z.strictObject(workingCopySpec.shape).optional(),
});
const composite = z.strictObject({
  ...common,
  kind: z.literal('composite'),
  members: z
    .record(name, member)
    .refine((members) => Object.keys(members).length > 0 && Object.keys(members).length <= 32, 'name 1 to 32 members')
    .superRefine((members, context) => {
      for (const [key, { on, type }] of Object.entries(members)) {
        if (type === 'composite') context.addIssue({ code: 'custom', path: [key, 'type'], message: "can't be a composite itself: name its members here" });
        if (on === undefined) continue;
        if (!Object.hasOwn(members, on)) context.addIssue({ code: 'custom', path: [key, 'on'], message: `names no member: use one of ${Object.keys(members).join(', ')}` });
        else if (type === 'host') context.addIssue({ code: 'custom', path: [key, 'on'], message: 'a host stands on nothing: remove it' });
        const seen = new Set([key]);
        for (let at: string | undefined = on; at !== undefined; at = members[at]?.on) {
          if (seen.has(at)) {
            context.addIssue({ code: 'custom', path: [key, 'on'], message: 'goes round in a circle' });
            break;
          }
          seen.add(at);
        }
      }
    }),
});

/** A blueprint as people write it: how one kind of resource is matched, made, kept and ended. */
export const blueprintSpec = z.discriminatedUnion('kind', [preallocated, local, ec2, workingCopy, service, composite]);
export type BlueprintSpec = z.output<typeof blueprintSpec>;
export type BlueprintOf<K extends BlueprintKind> = Extract<BlueprintSpec, { kind: K }>;

/** Blueprints that are there from the start. Each may be saved anew under its name, and disabled, but not removed. */
export const builtInBlueprints = {
  preallocated: preallocated.parse({ name: 'preallocated', kind: 'preallocated', rank: 100, description: 'enrolled machines' }),
  local: local.parse({ name: 'local', kind: 'local', rank: 200, description: 'the host that Berth itself runs on' }),
  'working-copy': workingCopy.parse({ name: 'working-copy', kind: 'working-copy', description: 'folders on leased hosts' }),
} as const satisfies Record<string, BlueprintSpec>;

/** Why a launch failed: what to do about it differs. */
export const launchFault = z.enum(['capacity', 'quota', 'image', 'credentials', 'configuration', 'timeout', 'throttled', 'outage', 'lost', 'not-ready']);
export type LaunchFault = z.infer<typeof launchFault>;

const reason = z.string().min(1).max(1024);
const version = z.uuid().optional().describe('of the image that it was booted from');

export const blueprintCommands = {
  SaveBlueprint: z.object({ spec: blueprintSpec, check: z.boolean().default(true).describe('ask its provider whether it could launch') }).describe('Saves a blueprint as its next version; the same again is no new version. Answered with `data` = `{name, version}`.'),
  EnableBlueprint: z.object({ name }).describe('Lets a blueprint serve requests again.'),
  DisableBlueprint: z.object({ name, reason: reason.default('disabled') }).describe('No new leases or launches of it; what is leased goes on.'),
  RemoveBlueprint: z.object({ name }).describe('Removes a blueprint of which no resource is left.'),
} as const;

export const blueprintEvents = {
  BlueprintSaved: z.object({ version: z.number().int().positive(), spec: blueprintSpec }).describe('A version of it.'),
  BlueprintEnabled: z.object({}).describe('It serves requests.'),
  BlueprintDisabled: z.object({ reason: z.string() }).describe('It serves no requests.'),
  BlueprintRemoved: z.object({}).describe('It is gone; its name is free.'),
  LaunchSucceeded: z
    .object({ resource: z.uuid(), version, apart: z.boolean().optional().describe('of another version than its channel pointed at: it says nothing of the others') })
    .describe('A resource of it became active.'),
  LaunchFailed: z
    .object({
      resource: z.uuid(),
      fault: launchFault,
      error: z.string(),
      offer: z.string().optional().describe('what was tried, such as c7i.large/eu-central-1a/spot'),
      version,
      again: z.iso.datetime().optional().describe('of another version than its channel pointed at: this one is launched again then, and it says nothing of the others'),
    })
    .describe('A resource of it did not become active.'),
  OfferRefused: z
    .object({ resource: z.uuid(), offer: z.string(), fault: launchFault, error: z.string(), until: z.iso.datetime(), version })
    .describe('An instance type in a zone and market is not to be had: it is not asked for again until then.'),
  BreakerOpened: z
    .object({ until: z.iso.datetime(), reason: z.string(), failures: z.number().int().positive(), blames: z.uuid().optional().describe('the version whose hosts failed every time: its channel is rolled back, where it has a version before') })
    .describe('Its launches keep failing: none until then, and after that one to try.'),
  BreakerClosed: z.object({}).describe('It launches again.'),
} as const;
