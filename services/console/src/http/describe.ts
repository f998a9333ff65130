import { SetMetadata } from '@nestjs/common';
import type { z } from 'zod';
import { commands, type CommandType, type Kind, type ServiceName } from '@berth/contracts';
import type { Foreign } from '../access/needs.js';
import type { ProblemCode } from './problem.js';

export const DESCRIPTION = 'berth:description';

/** A body that is data of a command; over HTTP the path says some of it. */
export interface CommandBody {
  command: z.ZodType;
  filled: readonly string[];
  /** it says only what is to be otherwise: it may come as this type too */
  merge?: true;
}
/** Anything but JSON, or JSON of which more is to be said. */
export interface Content {
  types: readonly [string, ...string[]];
  what: string;
  schema?: z.ZodType;
}
export type Body = z.ZodType | CommandBody | Content;
/** An answer: JSON of that shape; something else; or, as text, what an answer without a body means. */
export type Answer = z.ZodType | Content | string;

/** When what a write has begun is at rest: the thing that the `id` of its answer names has one of these statuses. */
export interface Settles {
  kind: 'lease' | 'build' | 'action' | 'machine' | 'job' | 'version' | 'push' | 'channel';
  at: readonly string[];
}
/** What a read is made of: while nothing of it has changed, `If-None-Match` is answered without looking. */
export interface Shows {
  kinds: readonly Kind[];
  /** the parameter of the path that names the one thing; without it all of these kinds are shown */
  one?: string;
  /** from the rows of the database, which follow the events */
  rows?: true;
  /** of the present time too: it is looked at whenever it is asked for */
  timed?: true;
}

/** What a write says anew: the tag of a read of it may come as `If-Match`. */
export interface Writes {
  /** path of that read */
  at: string;
  /** in whose events it stands */
  kind: Kind;
}

/** All that is to be said of a route. The document of the API is made of it, and so is what is done for every route alike. */
export interface Description {
  /** one sentence, with its full stop */
  summary: string;
  /** of parameters in the path that are not just any text */
  params?: Readonly<Record<string, z.ZodType>>;
  query?: Readonly<Record<string, z.ZodType>>;
  body?: Body | readonly Body[];
  answers: Readonly<Record<number, Answer>>;
  /** what 200 is answered with instead, for whoever would rather have that by `Accept` */
  rather?: Content;
  /** codes of a "no" beside those that every route may answer with */
  problems?: readonly ProblemCode[];
  settles?: Settles;
  shows?: Shows;
  writes?: Writes;
}

/** The same, with what follows from what the route needs. */
export interface Told extends Description {
  /** pages of other origins may ask it: the form of its "no" */
  foreign?: Foreign;
  /** answered without a token */
  open?: true;
}

/** Describes a route. One without a description stops the console at its start. */
export const Describe = (description: Description): MethodDecorator => SetMetadata(DESCRIPTION, description);

/** Data of a command as a body, less the fields that the path or the handler fills in. */
export const command = <S extends ServiceName>(service: S, type: CommandType<S>, ...filled: string[]): CommandBody => ({ command: (commands[service] as Record<string, z.ZodType>)[type]!, filled });

/** The same as a merge patch of RFC 7396. */
export const mergePatch = (body: CommandBody): CommandBody => ({ ...body, merge: true });

export const text = (what: string): Content => ({ types: ['text/plain'], what });
export const bytes = (what: string): Content => ({ types: ['application/octet-stream'], what });
export const yaml = (what: string): Content => ({ types: ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml', 'text/plain'], what });

export const isContent = (of: Body | Answer): of is Content => typeof of === 'object' && 'types' in of;
export const isCommand = (of: Body): of is CommandBody => 'command' in of;

const ENDED = ['succeeded', 'failed', 'cancelled', 'lost'] as const;
const OVER = ['passed', 'failed', 'aborted', 'error'] as const;

/** The rests that there are. */
export const settles = {
  lease: { kind: 'lease', at: ['active', 'released', 'broken', 'destroyed'] },
  leaseGone: { kind: 'lease', at: ['destroyed'] },
  build: { kind: 'build', at: OVER },
  buildPaused: { kind: 'build', at: ['paused', ...OVER] },
  action: { kind: 'action', at: ENDED },
  session: { kind: 'action', at: ['started', ...ENDED] },
  job: { kind: 'job', at: ['COMPLETE', 'FAILED', 'CANCELLED'] },
  machine: { kind: 'machine', at: ['active', 'unreachable', 'quarantined', 'held', 'draining', 'broken'] },
  version: { kind: 'version', at: ['COMPLETE', 'PARTIAL', 'FAILED', 'DELETEFAILED', 'DELETED'] },
  push: { kind: 'push', at: ['COMPLETE', 'FAILED'] },
  channel: { kind: 'channel', at: ['assigned', 'failed'] },
} as const satisfies Record<string, Settles>;
