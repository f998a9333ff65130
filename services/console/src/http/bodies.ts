import { z } from 'zod';
import { actionSpec, blueprintSpec, duration, span, type ActionKind } from '@berth/contracts';
import type { ProblemCode } from './problem.js';
import { yaml, type CommandBody, type Content } from './describe.js';

/** Bodies that are not simply the data of a command, and codes that several routes have. */

export const nothing = z.object({});
export const serviceInput = z
  .object({ for: span.optional().describe('of `quarantine` and `hold`: so long'), reason: z.string().min(1).max(1024).optional().describe('needed by `quarantine` and `hold`') })
  .describe('What the verb asks for.');
export const blueprintBody: CommandBody = { command: blueprintSpec, filled: ['name'] };
export const planBody = [yaml('the plan'), z.object({ source: z.string().min(1).max(524_288).describe('the plan as YAML or JSON') })] as const;

const specOf = (kind: ActionKind): z.ZodObject => actionSpec.options.find(({ shape }) => shape.kind.value === kind)!;
/** What a terminal or a forward is asked for with. */
export const sessionBody = (kind: 'terminal' | 'forward'): CommandBody => ({ command: specOf(kind), filled: ['kind'] });
const { command, env } = specOf('run-command').shape as { command: z.ZodType; env: z.ZodType };
export const execBody = z.object({ command, env, timeout: duration.optional().describe('such as 10m') });

export const logContent: Content = { types: ['text/plain', 'application/x-ndjson'], what: 'the log, as `format` says' };

/** Why something can't be done under a lease. */
export const underLease = ['unknown-lease', 'lease-not-active', 'lease-ended', 'stale-token', 'machine-refused', 'machine-unreachable'] as const satisfies readonly ProblemCode[];
