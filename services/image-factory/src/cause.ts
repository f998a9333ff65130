import type { Cause, Command } from '@berth/runtime';

export const ACTOR = 'image-factory';

/** Of what follows from what the factory has seen. */
export const own = (id: string, cause = id): Cause => ({ id, actor: ACTOR, cause, at: new Date().toISOString() });

/** Of what somebody asked for. */
export const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString(), base: command.base });
