import { blueprintSpec } from '@berth/contracts';
import { byName, readDocuments, type Written } from './yaml-file.js';

/** A blueprint as it stands in a file. */
export interface WrittenBlueprint extends Pick<Written<unknown>, 'place' | 'tell'> {
  name: string;
  /** as written: the service reads it */
  spec: Record<string, unknown>;
}

/**
 * Blueprints of a file: YAML or JSON, one or several documents.
 * @throws {Failure} with every error, each with its document, field, line and column
 */
export const readBlueprints = (text: string, file: string): WrittenBlueprint[] =>
  readDocuments(text, file, { schema: blueprintSpec, nameOf: byName, empty: `${file} holds no blueprint: \`berth blueprint example KIND\` prints one.` }).map(({ raw, value, place, tell }) => ({ name: value.name, spec: raw, place, tell }));
