import type { CommandInput } from '@berth/contracts';
import type { BuildCommand } from './build.js';

/** Something that has to be told, and to whom. The id of a command is the id of what it makes. `after`: the position it rests on. */
export type Due =
  | { to: 'build'; command: BuildCommand }
  | { to: 'lease'; type: 'RequestLease'; id: string; after: number; data: CommandInput<'lease', 'RequestLease'> }
  | { to: 'lease'; type: 'ReleaseLease'; id: string; after: number; data: CommandInput<'lease', 'ReleaseLease'> }
  | { to: 'host-agent-gateway'; type: 'RunAction'; id: string; after: number; data: CommandInput<'host-agent-gateway', 'RunAction'> }
  | { to: 'allocator'; type: 'HoldResource'; id: string; after: number; data: CommandInput<'allocator', 'HoldResource'> }
  /** to be looked at again then, if nothing has happened before; milliseconds since 1970 */
  | { to: 'clock'; at: number };

export type Request = Extract<Due, { type: 'RequestLease' }>;

export const own = (command: BuildCommand): Due[] => [{ to: 'build', command }];
