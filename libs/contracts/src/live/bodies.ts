import { z } from 'zod';
import { terminalSize } from '../action.js';
import type { Bodies } from './frame.js';

/** Why and how a live session ended. */
const ending = z.object({ code: z.string(), message: z.string(), exitCode: z.number().int().optional() });
export type LiveEnding = z.infer<typeof ending>;

const opening = z.object({
  window: z.number().int().positive().max(1024 * 1024),
  /** It carries nothing: as long as it is open, what it belongs to goes on. */
  keeps: z.boolean().optional(),
  size: terminalSize.optional(),
});
export type LiveOpening = z.infer<typeof opening>;

/** What frames carry as JSON, held to its schemas: apart from the frames, because a browser has no use for those. */
export const checkedBodies: Bodies = { opening: (value) => opening.parse(value), size: (value) => terminalSize.parse(value), ending: (value) => ending.parse(value) };
