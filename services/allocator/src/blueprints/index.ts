import type { BlueprintName } from '@berth/contracts';
import type { Blueprint } from './blueprint.js';
import { local } from './local.js';
import { preallocated } from './preallocated.js';
import { workingCopy } from './working-copy.js';

/** Every kind of blueprint: one file, one line. */
export const blueprints = {
  preallocated,
  local,
  'working-copy': workingCopy,
} as const satisfies Record<BlueprintName, Blueprint>;
