import { answer, commandEnvelope, commands, jsonSchema, subjects } from '../../libs/contracts/dist/index.js';
import { MADE, page } from './markdown.mjs';
import { described, shapes, table } from './schema-tables.mjs';

/** All commands, by service. */
export function commandsPage() {
  const parts = [
    '# Commands',
    MADE,
    'A command is JSON `{"id", "type", "data"}` on `berth.cmd.<service>.<type>`. The same for programs: [asyncapi.json](asyncapi.json). What a refusal can be: [refusals.md](refusals.md).',
    '## The envelope',
    table(jsonSchema(commandEnvelope, 'input')),
    '## The answer',
    ...shapes(jsonSchema(answer, 'output')),
  ];
  for (const [service, types] of Object.entries(commands)) {
    parts.push(`## ${service}`);
    for (const [type, schema] of Object.entries(types)) parts.push(`### ${type}`, ...described(jsonSchema(schema, 'input')), `Subject: \`${subjects.command(service, type)}\``);
  }
  return page(parts);
}
