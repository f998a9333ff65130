import { z } from 'zod';
import type { Trouble } from './tracker.js';

/** What is read of a bug: https://bugzilla.readthedocs.io/en/5.0/api/core/v1/bug.html */
export const bug = z.object({
  id: z.number().int().positive(),
  summary: z.string(),
  status: z.string(),
  is_open: z.boolean(),
  blocks: z.array(z.number().int()),
  whiteboard: z.string(),
});
export type Bug = z.infer<typeof bug>;

/** Fields that make a {@link bug}. */
export const bugFields = Object.keys(bug.shape).join(',');

/** What a status of bugs may become, of `GET /rest/field/bug/bug_status`. */
export const statusField = z.object({
  fields: z.array(z.object({ values: z.array(z.object({ name: z.string().nullable().describe('none is the status before a bug is filed'), is_open: z.boolean().optional(), can_change_to: z.array(z.object({ name: z.string() })).optional() })) })).min(1),
});
export type StatusField = z.infer<typeof statusField>;

/** Which status a closed bug gets when it is opened again, the first that its workflow allows. */
const OPENED = ['REOPENED', 'CONFIRMED', 'NEW', 'UNCONFIRMED'];

/**
 * The status that a closed bug is opened with: workflows differ from Bugzilla to Bugzilla. REOPENED is of those before 4.0 and of
 * those that kept theirs; the default one since has CONFIRMED and UNCONFIRMED instead.
 */
export function openedStatus({ fields: [field] }: StatusField, from: string): string | undefined {
  const values = field!.values;
  const open = new Set<string | null>(values.filter(({ is_open: is }) => is === true).map(({ name }) => name));
  const allowed = values.find(({ name }) => name === from)?.can_change_to?.map(({ name }) => name).filter((name) => open.has(name)) ?? [];
  return OPENED.find((name) => allowed.includes(name)) ?? allowed[0];
}

type How = 'filed' | 'commented';
/** Of so many jobs the whiteboard says that they told: it is a line that people read. */
const MOST_JOBS = 4;
const jobMark = (how: How, job: string) => `[berth ${how} ${job}]`;
const machineMark = (machine: string) => `[berth unreachable ${machine}]`;
const marks = /\[berth (filed|commented) ([0-9A-Za-z-]{1,64})\]/g;

/** A whiteboard that says that a job told of the machine; what others wrote there stays in front. */
export function whiteboardWith(before: string, { machine, job }: Pick<Trouble, 'machine' | 'job'>, how: How): string {
  const jobs = [...before.matchAll(marks)].map(([mark]) => mark);
  const others = before.replaceAll(marks, '').replaceAll(machineMark(machine), '').replaceAll(/ {2,}/g, ' ').trim();
  return [others, machineMark(machine), ...[...jobs, jobMark(how, job)].slice(-MOST_JOBS)].filter((part) => part !== '').join(' ');
}

/** How a job told of it, if its whiteboard says so. */
export function toldBy({ whiteboard }: Pick<Bug, 'whiteboard'>, job: string): How | undefined {
  return (['filed', 'commented'] as const).find((how) => whiteboard.includes(jobMark(how, job)));
}

/** Whether a bug says that a machine can't be reached, whether Berth filed it or a person did. */
export function saysUnreachable({ whiteboard, summary }: Bug, { machine, summary: ours }: Pick<Trouble, 'machine' | 'summary'>): boolean {
  if (whiteboard.includes(machineMark(machine))) return true;
  if (summary === ours && !whiteboard.includes('[berth unreachable ')) return true;
  // A ticket of the machines of a rack is linked to others that are not about this one.
  return /unreachable/i.test(summary) && summary.split(/[^A-Za-z0-9_-]+/).some((word) => word.toLowerCase() === machine.toLowerCase());
}
