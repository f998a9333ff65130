import { satisfies, type BlueprintOf } from '@berth/contracts';
import type { FoundMachine, HostBlueprint } from './blueprint.js';

const FOLDER = '~/.berth-host';

/** What a machine answers to when a blueprint looks for it. */
const attributesOf = (machine: FoundMachine) => ({ ...machine.facts, ...machine.attributes, os: machine.platform, machine: machine.name });

/** Does a blueprint want this machine? */
export const wantsMachine = (spec: BlueprintOf<'preallocated'>, machine: FoundMachine): boolean => satisfies(attributesOf(machine), spec.machines);

/** Machines that people enrolled: one host resource each. */
export const preallocated: HostBlueprint<BlueprintOf<'preallocated'>, FoundMachine> = {
  host: (spec, machine) => ({
    type: 'host',
    blueprint: spec.name,
    name: machine.name,
    machine: machine.name,
    slots: spec.slots ?? machine.slots,
    // What people say of their machine goes before what a probe found; the blueprint before both.
    attributes: { ...attributesOf(machine), ...spec.attributes, preallocated: 'yes', remote: 'yes' },
    host: {
      transport: 'ssh',
      address: machine.address,
      port: machine.port,
      user: machine.user,
      credential: machine.credential,
      hostKey: machine.hostKey,
      platform: machine.platform,
      folder: machine.folder ?? spec.folders[machine.platform] ?? FOLDER,
    },
  }),
};
