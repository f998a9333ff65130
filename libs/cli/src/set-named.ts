import type { Context } from './context.js';
import { called, readDocuments, refusedAt, textOf, type Form } from './yaml-file.js';

/** How documents that have a name are read, and what each is called in a sentence. */
export interface NamedForm extends Form<{ name: string }> {
  what: string;
}

/** Saves each document of a file under its name. */
export async function setNamed(context: Context, file: string, { what, ...read }: NamedForm, set: (name: string, spec: Record<string, unknown>) => Promise<unknown>): Promise<void> {
  const saved: { name: string }[] = [];
  for (const written of readDocuments(await textOf(context.io, file), called(file), read)) {
    const { name } = written.value;
    await set(name, written.raw).catch((error: unknown) => {
      throw refusedAt(written, error, saved.map((one) => one.name));
    });
    saved.push({ name });
  }
  context.result({ items: saved }, () => saved.map(({ name }) => `${what} ${name} is set.`).join('\n'));
}
