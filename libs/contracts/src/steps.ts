import { z } from 'zod';
import { commandShell, glob, insidePath, secretName } from './action.js';
import { resourceType } from './blueprint.js';
import { principal } from './who.js';
import { artifactName } from './object-name.js';
import { duration, name, platform, wants } from './scalars.js';
import { refusedVariable } from './variables.js';
import { workingCopySpec } from './working-copy.js';

/** Longest time that a step may take. */
const LONGEST_MS = 7 * 86_400_000;

/** What marks a value that is known only once the build runs. */
export const TEMPLATE = '${{';
export const isTemplate = (text: string): boolean => text.includes(TEMPLATE);

/** Text in which `${{ … }}` stands for values that are known once the build runs; only then it can be checked as what it is to be. */
const templated = (schema: z.ZodType<string, string>) =>
  z.string().min(1).max(16_384).superRefine((text, context) => {
    if (isTemplate(text)) return;
    for (const issue of schema.safeParse(text).error?.issues ?? []) context.addIssue({ code: 'custom', message: issue.message });
  });

/** One or several. */
const oneOrMore = <T extends z.ZodType>(schema: T, most: number) => z.union([schema.transform((one: z.output<T>) => [one]), z.array(schema).min(1).max(most)]);

const stepName = z.string().min(1).max(128);
/** How other steps name a step. */
export const stepId = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'use 1 to 63 small letters, digits, "-" or "_", starting with a letter');
export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name is letters, digits and "_"')
  .regex(/^(?!BERTH_)/, 'names that begin with BERTH_ are set by Berth: choose another');
/** Values become text. A NUL can stand in no environment. */
export const variableValue = z.union([z.string().regex(/^[^\0]*$/, 'must have no NUL byte'), z.number(), z.boolean()]).transform(String);
const environment = z.record(variableName, variableValue);
/** The name of a variable that a request may give a value. */
export const requestVariableName = variableName.superRefine((text, context) => {
  const message = refusedVariable(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
/** Variables whose values somebody else gives than who wrote the plan. */
export const requestVariables = z.record(requestVariableName, variableValue);
/** Variables that a plan sets itself: any, but for those with a power of their own whose value is made of what a request may give. */
export const planEnvironment = environment.superRefine((all, context) => {
  for (const [name, value] of Object.entries(all)) {
    // sh reads ENV for people alone, so never on a host; and many a build has one.
    const message = isTemplate(value) && name !== 'ENV' ? refusedVariable(name) : undefined;
    if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message });
  }
});

const scalar = z.union([z.string().max(256), z.number(), z.boolean()]).transform(String);
/** The step once for each combination of values; `exclude` leaves some out. */
const matrix = z
  .object({ exclude: z.array(z.record(z.string(), scalar)).max(100).optional() })
  .catchall(z.array(scalar).min(1).max(50))
  .describe('the step once for each combination of these values, which are `matrix.NAME` in it');

const condition = z.string().min(1).max(2048);

/** What steps of every kind may say. */
const common = {
  name: stepName,
  id: stepId.optional().describe('how others name it; made from its name when absent'),
  needs: oneOrMore(stepId, 100).or(z.array(stepId).max(0)).optional().describe('ids of steps that must be over before; the step above when absent, `[]` = none'),
  if: condition.optional().describe('`always()`, `failure()`, or an expression; `success()` when absent'),
  timeout: duration.refine((ms) => ms <= LONGEST_MS, 'must be at most 7d').optional(),
  retries: z.number().int().min(0).max(10).optional().describe('how often a step that failed is tried again'),
  continueOnError: z.boolean().optional().describe('its failure does not make the build fail'),
  matrix: matrix.optional(),
};
/** What steps on a host may say besides. */
const onHost = {
  host: z.union([z.string().min(1).max(256), wants]).optional().describe('name of one of the hosts of the plan, or what its own host must be'),
  machine: platform.optional().describe('the same as host: {os: …}'),
};

const secretList = z.array(variableName).max(64).optional().describe('which of the secrets of the plan it is given');

/** `run: SCRIPT`, short for the kind run-command. */
export const runStep = z.strictObject({
  ...common,
  ...onHost,
  run: z.string().min(1).max(262_144),
  shell: commandShell.optional().describe('sh on Linux and macOS, powershell on Windows when absent'),
  env: planEnvironment.optional(),
  secrets: secretList,
});

const step = <K extends string, W extends z.ZodRawShape, M extends z.ZodRawShape>(kind: K, more: M, parameters: z.ZodObject<W>) => z.strictObject({ ...common, ...more, uses: z.literal(kind), with: parameters });

export const checkoutStep = step('checkout', onHost, z.strictObject({
  repository: templated(workingCopySpec.shape.repository.unwrap()),
  ref: templated(workingCopySpec.shape.ref.unwrap()).optional(),
  path: templated(insidePath).optional().describe('folder inside the working copy; the working copy itself when absent'),
  depth: z.number().int().min(1).max(1_000_000).optional().describe('commits of history; all of it when absent'),
  submodules: z.union([z.boolean().transform((yes) => (yes ? ('yes' as const) : ('no' as const))), z.enum(['no', 'yes', 'recursive'])]).optional(),
  lfs: z.boolean().optional(),
  secret: secretName.optional().describe('a token for the repository, over HTTPS'),
}));
export const uploadArtifactStep = step('upload-artifact', onHost, z.strictObject({
  path: oneOrMore(templated(glob), 100),
  name: templated(artifactName).optional().describe('name of the one file, or of the folder that several are kept under'),
  whenNone: z.enum(['fail', 'pass']).optional().describe('when nothing matches; fail when absent'),
  type: z.enum(['file', 'sbom']).optional().describe('sbom: a bill of materials, which others look for; file when absent'),
}));
export const downloadArtifactStep = step('download-artifact', onHost, z.strictObject({
  name: oneOrMore(z.string().min(1).max(256), 100).optional().describe('artifacts, also by `*` and `**`; all when absent'),
  path: templated(insidePath).optional().describe('folder that they are put into; the working copy itself when absent'),
  build: z.string().min(1).max(1024).optional().describe('id of another build; this one when absent'),
}));
export const putFileStep = step('put-file', onHost, z.strictObject({
  path: templated(insidePath),
  content: z.string().max(65_536),
  mode: z.string().regex(/^0?[0-7]{3}$/, 'use three octal digits such as "644", as text').optional(),
}));
export const publishFragmentStep = step('publish-fragment', onHost, z.strictObject({
  path: oneOrMore(templated(glob), 100),
  format: z.enum(['auto', 'junit', 'tap', 'node-test', 'sarif', 'checkstyle']).optional().describe('auto when absent'),
  name: templated(artifactName).optional().describe('folder that the files are kept under; reports when absent'),
  failOn: z.enum(['errors', 'warnings', 'never']).optional().describe('what makes the step fail: failed tests and errors of analysis, warnings too, or nothing; errors when absent'),
  whenNone: z.enum(['fail', 'pass']).optional(),
}));
export const waitForPreviousBuildsStep = step('wait-for-previous-builds', {}, z.strictObject({
  plan: name.optional().describe('of this plan; its own when absent'),
  anyRef: z.boolean().optional().describe('of every ref, not of its own alone'),
}));
const url = z.url({ protocol: /^https?$/, error: 'use an http or https URL' }).max(4096);
export const httpRequestStep = step('http-request', {}, z.strictObject({
  url: templated(url).describe('values in it are escaped, apart from one that it begins with'),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']).optional().describe('POST when there is a body, else GET'),
  headers: z.record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'is not the name of a header'), z.string().max(8192)).optional(),
  body: z.union([z.string().max(65_536), z.record(z.string(), z.unknown())]).optional().describe('text, or a mapping that is sent as JSON'),
  secret: secretName.optional().describe('sent as `Authorization: Bearer …`'),
  expect: oneOrMore(z.number().int().min(100).max(599), 20).optional().describe('statuses that pass; 200 to 299 when absent'),
}));
export const waitForMessageStep = step('wait-for-message', {}, z.strictObject({ from: z.string().max(256).optional().describe('who is to report, for people') }));
export const waitForApprovalStep = step('wait-for-approval', {}, z.strictObject({
  message: z.string().max(2048).optional().describe('what is to be decided'),
  by: oneOrMore(principal, 50).optional().describe('who may approve; anybody when absent'),
}));
export const sleepStep = step('sleep', {}, z.strictObject({ for: duration }));
export const leaseStep = step('lease', {}, z.strictObject({
  type: resourceType.describe('what is wanted'),
  attributes: wants.optional(),
  blueprints: z.array(name).max(16).optional(),
  on: name.optional().describe('one of the hosts of the plan, for what stands on a host'),
}));
export const callPlanStep = step('call-plan', {}, z.strictObject({
  plan: name,
  variables: requestVariables.optional(),
  ref: z.string().min(1).max(256).optional(),
}));

/** Every kind of step by its name in `uses`; `run` is short for the first. */
export const stepSchemas = {
  'run-command': runStep,
  checkout: checkoutStep,
  'upload-artifact': uploadArtifactStep,
  'download-artifact': downloadArtifactStep,
  'put-file': putFileStep,
  'publish-fragment': publishFragmentStep,
  'wait-for-previous-builds': waitForPreviousBuildsStep,
  'http-request': httpRequestStep,
  'wait-for-message': waitForMessageStep,
  'wait-for-approval': waitForApprovalStep,
  sleep: sleepStep,
  lease: leaseStep,
  'call-plan': callPlanStep,
} as const;
export type StepKindName = keyof typeof stepSchemas;

export const anyStep = z.union([
  runStep, checkoutStep, uploadArtifactStep, downloadArtifactStep, putFileStep, publishFragmentStep, waitForPreviousBuildsStep,
  httpRequestStep, waitForMessageStep, waitForApprovalStep, sleepStep, leaseStep, callPlanStep,
]);
export type Step = z.output<typeof anyStep>;
/** What is written under `with`, once read. */
export type StepWith<K extends Exclude<StepKindName, 'run-command'>> = z.output<(typeof stepSchemas)[K]>['with'];

/** A step as stored: one for each combination of its matrix, with what it needs by number. Steps of older plans have a name and what they do alone. */
export const savedStep = z.object({
  name: z.string(),
  id: z.string().optional(),
  needs: z.array(z.number().int().nonnegative()).optional().describe('numbers of steps, counted from 0; the one before when absent'),
  if: z.string().optional(),
  host: z.string().optional().describe('name of its host in `hosts`; main when absent'),
  timeout: z.number().optional().describe('milliseconds'),
  retries: z.number().int().optional(),
  continueOnError: z.boolean().optional(),
  matrix: z.record(z.string(), z.string()).optional(),
  run: z.string().optional(),
  shell: commandShell.optional(),
  env: z.record(z.string(), z.string()).optional(),
  secrets: z.array(z.string()).optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
export type SavedStep = z.output<typeof savedStep>;
