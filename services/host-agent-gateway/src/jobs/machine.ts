import type { EscalationStep, HardwareGroupSpec, HardwareSpec, HostAccess, InterfaceKind } from '@berth/contracts';
import type { Loan } from '../domain/hardware.js';
import type { HostSpec } from '../transports/transport.js';

/** A machine as a job sees it: how it is managed, and its host where it is enrolled. */
export interface ManagedMachine {
  name: string;
  spec: HardwareSpec;
  /** in the order that its hardware names them */
  groups: readonly HardwareGroupSpec[];
  /** how Berth gets in; absent when it is not enrolled */
  access?: HostAccess;
  loan?: Loan;
}

/** Why a machine has not an interface, in words; undefined when it has. */
export function lacks({ name, spec }: ManagedMachine, kind: Exclude<InterfaceKind, 'ssh'>): string | undefined {
  return spec.interfaces[kind] === undefined ? `machine ${name} has no interface ${kind}: add it (berth hardware set)` : undefined;
}

/** Why nobody can log in to a machine, in words; undefined when somebody can. */
export function lacksLogin(machine: ManagedMachine): string | undefined {
  return loginOf(machine) === undefined ? `machine ${machine.name} is neither enrolled nor has an interface ssh` : undefined;
}

/** How to log in to a machine: as it is enrolled, otherwise as its hardware says. */
export function loginOf({ name, spec, access }: ManagedMachine): HostSpec | undefined {
  if (access) {
    const { transport, address, port, user, credential, hostKey, platform, folder } = access;
    return { id: name, transport, address, port, user, credential, platform, folder, ...(hostKey !== undefined && { hostKey }) };
  }
  const { ssh } = spec.interfaces;
  return ssh && { id: `${name} (hardware)`, transport: 'ssh', address: ssh.address ?? spec.address, port: ssh.port, user: ssh.user, credential: ssh.credential, hostKey: ssh.hostKey, platform: spec.platform, folder: '~/.berth-host' };
}

/** How machines are rebooted whose groups say nothing: everything that there is, the gentlest first. Times as in `escalationStep`. */
export const DEFAULT_ESCALATION: readonly EscalationStep[] = (['ssh_reboot', 'ipmi_reset', 'ipmi_cycle', 'redfish_reset', 'redfish_cycle', 'snmp_reboot', 'xenapi_reboot', 'ilo_reboot', 'file_ticket'] as const).map((method) => ({
  method, timeout: 120_000, downWithin: 60_000, upWithin: 300_000,
}));

/** The ladder of a machine: of the first of its groups that has one. */
export const escalationOf = ({ groups }: Pick<ManagedMachine, 'groups'>): readonly EscalationStep[] => groups.find(({ escalation }) => escalation)?.escalation ?? DEFAULT_ESCALATION;

/** What a person does before a loan: of the first of its groups that says so. */
export const loanStepsOf = ({ groups }: Pick<ManagedMachine, 'groups'>): readonly string[] => groups.find(({ loanSteps }) => loanSteps)?.loanSteps ?? [];
