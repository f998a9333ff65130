import { z } from 'zod';

/** Who something belongs to, for quotas and permissions: any text without control characters. */
export const principal = z.string().min(1).max(128).regex(/^[^\p{Cc}]+$/u, 'must have no control characters');

/** Who may use a thing. */
export const allow = z
  .strictObject({ projects: z.array(principal).max(1000).default([]), owners: z.array(principal).max(1000).default([]) })
  .describe('who may use it: any of these projects or owners; both empty = everybody');
export type Allow = z.output<typeof allow>;
