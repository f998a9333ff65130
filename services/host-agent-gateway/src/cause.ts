import type { Cause, Command } from '@berth/runtime';

/** Of what follows from what the gateway has seen. */
export const own = (id: string): Cause => ({ id, actor: 'host-agent-gateway', cause: id, at: new Date().toISOString() });

/** Of what somebody asked for. */
export const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString(), base: command.base });
