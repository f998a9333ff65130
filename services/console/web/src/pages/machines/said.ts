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

/** What is otherwise in the form than it was when it was opened, as a merge patch: null takes away. What nobody touched is left out, down to the single attribute, whoever changes it meanwhile. @throws {ProblemError} */
export function changesOf(form: Form, was: Form): Record<string, unknown> {
  const touched = (field: keyof Form): boolean => form[field] !== was[field];
  const simple = { address: form.address, port: number(form.port), user: form.user, credential: form.credential, platform: form.platform, slots: number(form.slots), folder: form.folder === '' ? null : form.folder };
  const attributes = touched('attributes') ? differing(readAttributes(was.attributes), readAttributes(form.attributes)) : {};
  const allow = { ...(touched('projects') && { projects: lines(form.projects) }), ...(touched('owners') && { owners: lines(form.owners) }) };
  return {
    ...Object.fromEntries(Object.entries(simple).filter(([field]) => touched(field as keyof Form))),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...(Object.keys(allow).length > 0 && { allow }),
  };
}

const differing = (before: Record<string, string>, after: Record<string, string>): Record<string, string | null> => ({
  ...Object.fromEntries(Object.keys(before).filter((name) => !Object.hasOwn(after, name)).map((name) => [name, null])),
  ...Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value)),
});
