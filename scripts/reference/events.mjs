import { commitSchema, events, jsonSchema, subjects, writers } from '../../libs/contracts/dist/index.js';
import { MADE, page } from './markdown.mjs';
import { described, table } from './schema-tables.mjs';

/** All events, by kind. */
export function eventsPage() {
  const parts = [
    '# Events',
    MADE,
    'One decision is one commit: a message on `berth.evt.<kind>.<id>` with one or more events. Its sequence in `BERTH_EVENTS` is the position of the commit and the revision of its stream. These are internal truth and may grow; frontends read `berth.status.<kind>.<id>`.',
    '## The commit',
    table(jsonSchema(commitSchema, 'output')),
  ];
  for (const [kind, types] of Object.entries(events)) {
    parts.push(`## ${kind}`, `Written by \`${writers[kind]}\` on \`${subjects.event(kind, '<id>')}\`.`);
    for (const [type, schema] of Object.entries(types)) parts.push(`### ${type}`, ...described(jsonSchema(schema, 'output')));
  }
  return page(parts);
}
