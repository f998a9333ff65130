import { z } from 'zod';
import { hardwareGroupSpec, hardwareSpec, instant, jobStatus, jobTask } from '@berth/contracts';
import type { PageOptions } from './api-lists.js';

/** What the HTTP API says of machines as hardware. */

/** A loan of a machine. */
export const loanView = z
  .object({
    job: z.string().describe('that lends it'),
    to: z.string().describe('for whom'),
    status: z.enum(['PENDING', 'ACTIVE']).describe('ACTIVE once all its steps are done'),
    steps: z.array(z.object({ text: z.string(), done: instant.nullable().describe('null: not yet'), by: z.string().nullable() })).describe('what a person does first, in this order'),
    lease: z.string().nullable().describe('which keeps others off the machine'),
    requested: instant,
    activated: instant.nullable(),
  })
  .describe('A loan of a machine.');
export type LoanView = z.infer<typeof loanView>;

/** A machine as hardware. */
export const hardwareView = hardwareSpec
  .extend({
    enrolled: z.boolean().describe('whether a machine of that name is in the fleet'),
    loan: loanView.nullable().describe('null: it is not lent'),
    job: z.object({ id: z.string(), task: jobTask, status: jobStatus, modified: instant }).nullable().describe('the newest hardware job on it; null: there was none'),
    set: instant.describe('when this was said'),
    by: z.string().describe('who said it'),
  })
  .describe('A machine as hardware: how it is reached when its operating system is not.');
export type HardwareView = z.infer<typeof hardwareView>;

/** Machines that are driven alike. */
export const hardwareGroupView = hardwareGroupSpec
  .extend({ machines: z.array(z.string()).describe('that are in it, by name'), set: instant, by: z.string() })
  .describe('Machines that are driven alike.');
export type HardwareGroupView = z.infer<typeof hardwareGroupView>;

/** All that is said of hardware, as it is written into a file. */
export const hardwareDocument = z
  .strictObject({ hardware: z.array(hardwareSpec).max(10_000).default([]), groups: z.array(hardwareGroupSpec).max(1000).default([]) })
  .describe('All that is said of hardware.');
export type HardwareDocument = z.output<typeof hardwareDocument>;
export type HardwareDocumentInput = z.input<typeof hardwareDocument>;

/** What an import does with one name. */
export const importedView = z
  .object({
    name: z.string(),
    change: z.enum(['added', 'changed', 'removed', 'same']),
    paths: z.array(z.string()).describe('of one that is changed: what differs, such as interfaces.ipmi.port'),
    error: z.object({ code: z.string(), message: z.string() }).nullable().describe('why it was not done; null: it was, or nothing was to be done'),
  })
  .describe('What an import does with one name.');
export type ImportedView = z.infer<typeof importedView>;

/** What an import does, or would do. */
export const hardwareImport = z
  .object({ dryRun: z.boolean(), groups: z.array(importedView), hardware: z.array(importedView) })
  .describe('What an import does, or with `dryRun` would do.');
export type HardwareImport = z.infer<typeof hardwareImport>;

type Several = string | readonly string[] | undefined;
export interface HardwareQuery extends PageOptions {
  group?: Several;
  /** id of a worker */
  worker?: Several;
  /** ssh, ipmi, redfish and the like; with commas between several */
  interface?: string | undefined;
  /** lent or free */
  status?: string | undefined;
}
