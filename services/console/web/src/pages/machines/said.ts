import type { MachineView } from '@berth/client';
import { readAttributes } from './attributes';

/** What the form holds, as it is written there. */
export const empty = { name: '', address: '', port: '22', user: '', credential: '', platform: 'linux', slots: '1', folder: '', attributes: '', projects: '', owners: '' };
export type Form = typeof empty;

/** A machine as the form shows it. */
export const formOf = ({ name, address, port, user, credential, platform, slots, folder, attributes, allow }: MachineView): Form => ({
  name, address, port: String(port), user, credential, platform, slots: String(slots), folder: folder ?? '',
  attributes: Object.entries(attributes).map(([key, value]) => `${key}=${value}`).join('\n'),
  projects: allow.projects.join('\n'), owners: allow.owners.join('\n'),
});

const number = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);
const lines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line !== '');

/** What enrols the machine: the body of the API. @throws {ProblemError} */
export function bodyOf({ name, address, port, user, credential, platform, slots, folder, attributes, projects, owners }: Form) {
  return {
    name, address, port: number(port), user, credential, platform, slots: number(slots), attributes: readAttributes(attributes), ...(folder !== '' && { folder }),
    allow: { projects: lines(projects), owners: lines(owners) },
  };
}

/** What is otherwise in the form than it was, as a merge patch: null takes away. Fields that nobody touched are left out, whoever changes them meanwhile. @throws {ProblemError} */
export function changesOf(form: Form, was: Form, attributes: MachineView['attributes']): Record<string, unknown> {
  const { name: _, ...body } = bodyOf(form);
  const gone = Object.keys(attributes).filter((key) => !Object.hasOwn(body.attributes, key));
  const now = { ...body, folder: body.folder ?? null, attributes: { ...body.attributes, ...Object.fromEntries(gone.map((key) => [key, null])) } };
  const parts = { projects: 'allow', owners: 'allow' } as Record<keyof Form, keyof typeof now | undefined>;
  const touched = new Set((Object.keys(form) as (keyof Form)[]).filter((field) => form[field] !== was[field]).map((field) => parts[field] ?? field));
  return Object.fromEntries(Object.entries(now).filter(([field]) => touched.has(field as keyof Form)));
}
