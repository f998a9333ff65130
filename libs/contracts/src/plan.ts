import { z } from 'zod';
import { secretName } from './action.js';
import { principal } from './who.js';
import { duration, name, platform, span, wants } from './scalars.js';
import { anyStep, planEnvironment, requestVariableName, savedStep, variableName, variableValue } from './steps.js';
import { workingCopySpec } from './working-copy.js';

/** What may be given to a build of a plan, or must. A plain value is short for its default. */
export const planVariable = z.strictObject({
  type: z.enum(['string', 'number', 'boolean', 'choice']).default('string'),
  required: z.boolean().default(false),
  default: variableValue.optional(),
  choices: z.array(z.union([z.string(), z.number()]).transform(String)).min(1).max(100).optional(),
  description: z.string().max(1024).optional(),
});
export type PlanVariable = z.output<typeof planVariable>;

const secret = z.union([secretName.transform((of) => ({ secret: of, as: 'env' as const })), z.strictObject({ secret: secretName, as: z.enum(['env', 'file']).default('env') })]);
const hosts = z
  .record(name, wants)
  .refine((all) => Object.keys(all).length > 0 && Object.keys(all).length <= 16, 'name 1 to 16 hosts')
  .describe('several hosts, by name: what each must be. The first is that of steps which name none');

/** What a build does with others that are under way for the same thing. */
const concurrency = z.strictObject({
  group: z.string().min(1).max(256).default('${{ plan.name }} ${{ ref }}').describe('builds of one group are never under way at the same time'),
  policy: z.enum(['queue', 'cancel']).describe('queue: a new one waits; cancel: older ones are aborted'),
});

/** A build plan, as written in YAML. Times are text there and milliseconds once read. */
export const plan = z.strictObject({
  name,
  description: z.string().max(4096).optional(),
  host: wants.optional().describe('what the host must be'),
  machine: platform.optional().describe('the same as host: {os: …}'),
  hosts: hosts.optional(),
  workingCopy: z.strictObject(workingCopySpec.shape).default({}),
  variables: z.record(requestVariableName, z.union([variableValue.transform((value) => planVariable.parse({ default: value })), planVariable])).default({}).describe('what a build may be given; anything else is refused once there are any'),
  secrets: z.record(variableName, secret).default({}).describe('secrets by the variable that steps get them in'),
  env: planEnvironment.default({}),
  timeout: duration.optional().describe('of a build, from its request on'),
  queueTimeout: duration.optional().describe('how long a host may be waited for'),
  priority: z.number().int().min(0).max(1000).optional().describe('of its leases, unless a request says otherwise'),
  infrastructureRetries: z.number().int().min(0).max(20).default(3),
  holdOnFailure: span.optional(),
  restartable: z.enum(['always', 'if-failed', 'never']).default('always'),
  allow: z.strictObject({ initiators: z.array(principal).min(1).max(100).optional(), projects: z.array(principal).min(1).max(100).optional() }).optional().describe('who may start it; anybody when absent'),
  concurrency: concurrency.optional(),
  artifacts: z.strictObject({ keep: span.optional().describe('how long artifacts are kept'), builds: z.number().int().min(1).max(10_000).optional().describe('of how many of its last builds') }).optional().describe('pinned artifacts stay'),
  steps: z.array(anyStep).min(1).max(500),
});
export type Plan = z.output<typeof plan>;

/** The same plan as kept in events: already read, so every field is plain. */
export const savedPlan = z.object({
  name,
  host: z.record(z.string(), z.string()).describe('what the host must be; of the first one when there are `hosts`'),
  hosts: z.record(z.string(), z.record(z.string(), z.string())).optional().describe('what each host must be, by name'),
  workingCopy: workingCopySpec,
  variables: z.record(z.string(), z.object({ type: z.string(), required: z.boolean(), default: z.string().optional(), choices: z.array(z.string()).optional(), description: z.string().optional() })).optional(),
  secrets: z.record(z.string(), z.object({ secret: z.string(), as: z.enum(['env', 'file']) })).optional().describe('references; never the secrets themselves'),
  env: z.record(z.string(), z.string()),
  timeout: z.number().optional().describe('milliseconds'),
  queueTimeout: z.number().optional().describe('milliseconds'),
  priority: z.number().int().optional(),
  infrastructureRetries: z.number().int().optional().describe('how often a failed host is replaced; 2 in plans of older versions'),
  holdOnFailure: z.number().optional().describe('milliseconds that the host of a failed build is kept for debugging'),
  restartable: z.enum(['always', 'if-failed', 'never']).optional(),
  allow: z.object({ initiators: z.array(z.string()).optional(), projects: z.array(z.string()).optional() }).optional(),
  concurrency: z.object({ group: z.string(), policy: z.enum(['queue', 'cancel']) }).optional(),
  artifacts: z.object({ keep: z.number().optional(), builds: z.number().int().optional() }).optional(),
  steps: z.array(savedStep),
});
export type SavedPlan = z.output<typeof savedPlan>;

const source = z.string().min(1).max(524_288).describe('the plan as YAML or JSON');
export const planCommands = {
  ApplyPlan: z
    .object({ source })
    .describe('Saves a plan as its next version. Answered with `data` = `{name, version}`; the same text again is no new version.'),
  ValidatePlan: z.object({ source }).describe('Reads a plan and saves nothing. Answered with `data` = `{name, steps}`, or refused with all that is wrong with it.'),
} as const;

export const planEvents = {
  PlanSaved: z
    .object({ version: z.number().int().positive().describe('counts from 1'), source: z.string().describe('the YAML'), plan: savedPlan.describe('the same, read') })
    .describe('A version of a plan.'),
} as const;
