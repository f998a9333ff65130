import type { CommandInput } from '@berth/contracts';
import type { BuildCommand } from './build/build.js';

/** A request over HTTP, ready to be sent. `secret`: name of the token that goes with it. */
export interface HttpRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
  secret?: string;
  timeoutMs: number;
}

/** Something that has to be told, and to whom. The id of a command is the id of what it makes. `after`: the position it rests on. */
export type Due =
  | { to: 'build'; command: BuildCommand }
  | { to: 'lease'; type: 'RequestLease'; id: string; after: number; data: CommandInput<'lease', 'RequestLease'> }
  | { to: 'lease'; type: 'ReleaseLease'; id: string; after: number; data: CommandInput<'lease', 'ReleaseLease'> }
  | { to: 'host-agent-gateway'; type: 'RunAction'; id: string; after: number; data: CommandInput<'host-agent-gateway', 'RunAction'> }
  | { to: 'host-agent-gateway'; type: 'CancelAction'; id: string; after: number; data: CommandInput<'host-agent-gateway', 'CancelAction'> }
  | { to: 'allocator'; type: 'HoldResource'; id: string; after: number; data: CommandInput<'allocator', 'HoldResource'> }
  /** another build: of a plan that a step calls */
  | { to: 'builds'; type: 'RequestBuild'; id: string; data: CommandInput<'build-orchestrator', 'RequestBuild'> }
  | { to: 'builds'; type: 'AbortBuild'; id: string; data: CommandInput<'build-orchestrator', 'AbortBuild'> }
  /** what the orchestrator does itself, at least once; its reply is in the view then */
  | { to: 'http'; id: string; request: HttpRequest }
  | { to: 'artifacts'; id: string; build: string }
  /** to be looked at again then, if nothing has happened before; milliseconds since 1970 */
  | { to: 'clock'; at: number };

export type Request = Extract<Due, { type: 'RequestLease' }>;

export const own = (command: BuildCommand): Due[] => [{ to: 'build', command }];
