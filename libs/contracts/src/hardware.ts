import { z } from 'zod';
import { secretName } from './action.js';
import { credential, hostKey } from './machine.js';
import { name, platform, span } from './scalars.js';

/** Where something answers in the network. */
const address = z.string().min(1).max(253).regex(/^[A-Za-z0-9][A-Za-z0-9.:_-]*$/, 'use a host name or an IP address').describe('host name or IP address');
const port = z.number().int().min(1).max(65_535);
const login = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}$/, 'use a login name').describe('login name');
const password = secretName.describe('name of the secret that holds the password');
const httpsUrl = z.url({ protocol: /^https?$/, error: 'use a URL such as https://10.0.0.7' }).max(512).refine((url) => !/^[a-z]+:\/\/[^/]*@/.test(url), 'has a login in it: give user and password of their own');
const certificate = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'use the SHA-256 of the certificate, 64 hexadecimal digits')
  .describe('SHA-256 of the certificate that it must show; absent: one that the operating system trusts');

/** Ways in which a machine is managed from outside of it. Passwords are names of secrets, never values. */
export const managementInterfaces = z.strictObject({
  ssh: z
    .strictObject({ address: address.optional().describe("that of the machine when absent"), port: port.default(22), user: login, credential, hostKey: hostKey.describe('the key that it must show') })
    .optional()
    .describe('for machines that are not enrolled; of one that is, the enrolment says how to get in'),
  ipmi: z
    .strictObject({
      address, port: port.default(623), user: login, password,
      interface: z.enum(['lanplus', 'lan']).default('lanplus').describe('lanplus is IPMI 2.0'),
      level: z.enum(['ADMINISTRATOR', 'OPERATOR', 'USER']).default('ADMINISTRATOR').describe('privilege level that is asked for'),
      cipher: z.number().int().min(0).max(17).optional().describe('cipher suite; the program chooses when absent'),
    })
    .optional(),
  redfish: z.strictObject({ url: httpsUrl, system: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'use the id of a system, such as 1').optional().describe('the only one when absent'), user: login, password, certificate: certificate.optional() }).optional(),
  pdu: z
    .strictObject({
      address, port: port.default(161),
      family: z.enum(['apc', 'sentry3', 'sentry4', 'raritan', 'oid']).describe('which objects of SNMP switch an outlet'),
      outlet: z.string().regex(/^[A-Za-z0-9.]{1,64}$/, 'use the name of an outlet, such as 7 or AA1').describe('as the family names it: `7`; `AA1` is tower, infeed and outlet'),
      community: secretName.describe('name of the secret that holds the SNMP community'),
      oid: z.strictObject({
        outlet: z.string().regex(/^\d+(\.\d+){2,63}$/, 'use numbers and dots').describe('the object of the outlet that is read and set'),
        on: z.number().int(), off: z.number().int(),
      }).optional().describe('with family `oid`'),
    })
    .refine(({ family, oid }) => (family === 'oid') === (oid !== undefined), { path: ['oid'], message: 'goes with family oid, and family oid with it' })
    .optional(),
  xen: z.strictObject({ url: httpsUrl, vm: z.uuid().describe('of the virtual machine'), user: login, password, certificate: certificate.optional() }).optional(),
  ilo: z.strictObject({ url: httpsUrl.describe('of the iLO, which is spoken to in RIBCL'), user: login, password, certificate: certificate.optional() }).optional(),
  wake: z.strictObject({ mac: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, 'use six pairs of hexadecimal digits with ":"'), address: address.default('255.255.255.255').describe('broadcast address'), port: port.default(9) }).optional().describe('wake-on-LAN'),
});
export type ManagementInterfaces = z.infer<typeof managementInterfaces>;
export type InterfaceKind = keyof ManagementInterfaces;

/** What a continuous-integration system calls a worker. */
export const workerId = z.string().regex(/^[-_0-9a-zA-Z]{1,128}$/, 'use 1 to 128 letters, digits, "-" or "_"');
const workerPart = z.string().regex(/^[-_0-9a-zA-Z./]{1,128}$/, 'use 1 to 128 letters, digits, "-", "_", "." or "/"');
export const worker = z.strictObject({ id: workerId, group: workerPart.optional(), type: workerPart.optional(), provisioner: workerPart.optional() });
export type Worker = z.infer<typeof worker>;

/** A machine as hardware: how it is reached when its operating system is not. It need not be enrolled; when it is, it has the same name. */
export const hardwareSpec = z.strictObject({
  name: name.describe('of the machine; when it is enrolled, under this name'),
  address: address.describe('where it answers when it is up'),
  platform: platform.default('linux'),
  workers: z.array(worker).max(64).default([]).describe('workers that run on it'),
  groups: z.array(name).max(16).default([]).describe('groups of machines; what the first that says something says, holds'),
  interfaces: managementInterfaces.default({}),
  tracker: z.string().max(64).regex(/^[A-Za-z0-9_-]+$/).optional().describe("alias or number of the machine's ticket that all others are linked to; its name when absent"),
});
export type HardwareSpec = z.infer<typeof hardwareSpec>;

/** Ways to reboot a machine, and what is done when none works. */
export const rebootMethods = ['ssh_reboot', 'ipmi_reset', 'ipmi_cycle', 'redfish_reset', 'redfish_cycle', 'snmp_reboot', 'xenapi_reboot', 'ilo_reboot', 'wake', 'file_ticket'] as const;
export const rebootMethod = z.enum(rebootMethods);
export type RebootMethod = z.infer<typeof rebootMethod>;

/** One rung of the ladder. Times are milliseconds once they are read. */
export const escalationStep = z.strictObject({
  method: rebootMethod,
  timeout: span.default(120_000).describe('for the method itself'),
  downWithin: span.default(60_000).describe('the machine must go down within so long'),
  upWithin: span.default(300_000).describe('and be up again within so long'),
});
export type EscalationStep = z.infer<typeof escalationStep>;

/** Machines that are driven alike. */
export const hardwareGroupSpec = z.strictObject({
  name,
  escalation: z.array(escalationStep).min(1).max(32).optional().describe('how its machines are rebooted, in this order; all methods but wake, as they are listed, when absent'),
  loanSteps: z.array(z.string().min(1).max(512)).max(32).optional().describe('what a person does, in this order, before a loan is active'),
  mail: z.array(z.email()).max(16).default([]).describe('who is told of its jobs, besides who asked for them'),
});
export type HardwareGroupSpec = z.infer<typeof hardwareGroupSpec>;

export const hardwareCommands = {
  SetHardware: hardwareSpec.describe('Says how a machine is managed; replaces what was said before.'),
  RemoveHardware: z.object({ name }).describe('Forgets how a machine is managed. Refused while a job is live on it or it is on loan.'),
  SetHardwareGroup: hardwareGroupSpec.describe('Says how a group of machines is driven; replaces what was said before.'),
  RemoveHardwareGroup: z.object({ name }).describe('Forgets a group. Refused while a machine is in it.'),
  CompleteLoanStep: z
    .object({ machine: name, step: z.number().int().min(0).max(31).describe('which, counted from 0'), done: z.boolean().default(true) })
    .describe('A person has done a step of a loan. The ones before come first; doing one twice is doing it once; none is undone.'),
} as const;

export const hardwareEvents = {
  HardwareSet: hardwareSpec.describe('How the machine is managed.'),
  HardwareRemoved: z.object({}).describe('It is not managed any more; its name is free.'),
  LoanRequested: z.object({ job: z.uuid(), to: z.string().describe('for whom'), steps: z.array(z.string()).describe('what a person does first'), lease: z.uuid().optional().describe('which keeps others off the machine, where it is enrolled') }).describe('It is lent, once all its steps are done.'),
  LoanStepDone: z.object({ step: z.number().int().nonnegative() }).describe('A person has done a step.'),
  LoanActivated: z.object({}).describe('It is theirs.'),
  LoanReturned: z.object({}).describe('It is back.'),
} as const;

export const hardwareGroupEvents = {
  HardwareGroupSet: hardwareGroupSpec.describe('How machines of the group are driven.'),
  HardwareGroupRemoved: z.object({}).describe('The group is no more.'),
} as const;
