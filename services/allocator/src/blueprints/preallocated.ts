import { builtInBlueprints } from '@berth/contracts';
import type { HostBlueprint } from './blueprint.js';

/** Machines that people enrolled: one host resource each, with the machine's slots. */
export const preallocated: HostBlueprint = {
  name: 'preallocated',
  type: 'host',
  rank: 0,
  host(source) {
    if (!('machine' in source)) throw new Error('a preallocated host comes from a machine');
    const { machine } = source;
    return {
      type: 'host',
      blueprint: 'preallocated',
      name: machine.name,
      machine: machine.name,
      slots: machine.slots,
      // What people say of their machine goes before what a probe found; what makes it a preallocated host before both.
      attributes: { ...machine.facts, ...machine.attributes, os: machine.platform, machine: machine.name, ...builtInBlueprints.preallocated.attributes },
      host: {
        transport: 'ssh',
        address: machine.address,
        port: machine.port,
        user: machine.user,
        credential: machine.credential,
        hostKey: machine.hostKey,
        platform: machine.platform,
        folder: machine.folder,
      },
    };
  },
};
