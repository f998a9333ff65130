import type { BlueprintOf } from '@berth/contracts';
import type { FoundLocal, HostBlueprint } from './blueprint.js';

/** The machine that the gateway itself runs on, without SSH. */
export const local: HostBlueprint<BlueprintOf<'local'>, FoundLocal> = {
  host: (spec, { access, facts, cpus }) => ({
    type: 'host',
    blueprint: spec.name,
    name: 'local',
    slots: spec.slots ?? cpus,
    attributes: { ...facts, os: access.platform, ...spec.attributes, preallocated: 'no', remote: 'no' },
    host: { ...access, folder: spec.folders[access.platform] ?? access.folder },
  }),
};
