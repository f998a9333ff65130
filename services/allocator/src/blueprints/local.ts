import { builtInBlueprints } from '@berth/contracts';
import type { HostBlueprint } from './blueprint.js';

/** The machine that the gateway itself runs on, without SSH. */
export const local: HostBlueprint = {
  name: 'local',
  type: 'host',
  rank: 10,
  host(source) {
    if (!('local' in source)) throw new Error('a local host comes from the gateway');
    const { access, facts, slots } = source.local;
    return { type: 'host', blueprint: 'local', name: 'local', slots, attributes: { ...facts, os: access.platform, ...builtInBlueprints.local.attributes }, host: access };
  },
};
