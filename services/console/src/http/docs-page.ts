import type { JsonSchema } from '@berth/contracts';

/** Under /api, beside the page. */
export const STYLE_PATH = 'docs/style.css';

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  parameters: { name: string; in: string; required?: boolean; description?: string; schema: JsonSchema }[];
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, Response | { $ref: string }>;
}

interface Response {
  description: string;
  content?: Record<string, { schema: JsonSchema }>;
}

/** The document of the API as one page: no scripts, nothing from elsewhere. Opens and closes by itself (`details`). */
export function docsPage(document: JsonSchema): string {
  const { info, paths, components, tags } = document as { info: { title: string; version: string; description: string }; paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, JsonSchema> }; tags: { name: string }[] };
  const operations = Object.entries(paths).flatMap(([path, own]) => Object.entries(own).map(([method, operation]) => ({ path, method, operation })));
  const groups = tags.map(({ name }) => ({ name, own: operations.filter(({ operation }) => operation.tags[0] === name) }));
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${text(info.title)}: HTTP API</title><link rel="stylesheet" href="/api/${STYLE_PATH}"></head>
<body>
<nav aria-label="Contents"><p><a href="#top">HTTP API</a></p><ul>${groups.map(({ name }) => `<li><a href="#${name}">${text(name)}</a></li>`).join('')}<li><a href="#shapes">Shapes</a></li></ul></nav>
<main id="top">
<h1>${text(info.title)} HTTP API <small>${text(info.version)}</small></h1>
<p>${text(info.description)} For programs: <a href="/api/v1/openapi.json">openapi.json</a>.</p>
${groups.map(({ name, own }) => `<h2 id="${name}">${text(name)}</h2>\n${own.map(operationPart).join('\n')}`).join('\n')}
<h2 id="shapes">Shapes</h2>
${Object.entries(components.schemas).map(([name, schema]) => `<details id="shape-${name}"><summary><code>${name}</code> ${text(String(schema['description'] ?? ''))}</summary>${shape(schema)}</details>`).join('\n')}
</main>
</body>
</html>
`;
}

function operationPart({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const { summary, parameters, requestBody, responses } = operation;
  const all = Object.entries(responses);
  const said = all.filter((one): one is [string, Response] => !('$ref' in one[1]));
  const refused = all.flatMap(([status, own]) => ('$ref' in own ? [`<b>${status}</b> ${text(own.$ref.split('/').at(-1)!.replaceAll('.', ', '))}`] : []));
  return `<details id="${operation.operationId}"><summary><b>${method.toUpperCase()}</b> <code>${text(path)}</code> ${text(summary)}</summary>
${parameters.length === 0 ? '' : table(['parameter', 'in', 'type', ''], parameters.map(({ name, in: where, required, schema, description = '' }) => [`<code>${text(name)}</code>${required ? '' : '?'}`, where, typeOf(schema), text(description)]))}
${requestBody ? `<h3>Body</h3>${contents(requestBody.content)}` : ''}
<h3>Answers</h3>${said.map(([status, { description, content = {} }]) => `<p><b>${status}</b> ${text(description)}</p>${contents(content)}`).join('')}
<p>A "no": ${refused.join('; ')}.</p></details>`;
}

function contents(content: Record<string, { schema: JsonSchema }>): string {
  const bySchema = new Map<string, string[]>();
  for (const [type, { schema }] of Object.entries(content)) {
    const shown = shape(schema);
    bySchema.set(shown, [...(bySchema.get(shown) ?? []), `<code>${text(type)}</code>`]);
  }
  return [...bySchema].map(([shown, types]) => `<p>${types.join(', ')}</p>${shown}`).join('');
}

/** A schema as a table of its fields, or as a word. */
function shape(schema: JsonSchema): string {
  const parts = alternatives(schema);
  if (parts && parts.some((part) => part['properties'])) return parts.map(shape).join('<p>or</p>');
  const fields = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  if (fields.length === 0) return `<p>${typeOf(schema)}${schema['description'] === undefined ? '' : `: ${text(String(schema['description']))}`}</p>`;
  const needed = (schema['required'] ?? []) as string[];
  return table(['field', 'type', ''], fields.map(([name, field]) => [`<code>${text(name)}</code>${needed.includes(name) ? '' : '?'}`, typeOf(field), text(String(field['description'] ?? ''))]));
}

const alternatives = (schema: JsonSchema): JsonSchema[] | undefined => (schema['oneOf'] ?? schema['anyOf'] ?? schema['allOf']) as JsonSchema[] | undefined;

function typeOf(schema: JsonSchema): string {
  const ref = schema['$ref'];
  if (typeof ref === 'string') {
    const name = ref.split('/').at(-1)!;
    return `<a href="#shape-${name}">${text(name)}</a>`;
  }
  if (schema['const'] !== undefined) return `<code>${text(JSON.stringify(schema['const']))}</code>`;
  const words = schema['enum'] as unknown[] | undefined;
  if (words) return words.map((word) => `<code>${text(String(word))}</code>`).join(', ');
  const parts = alternatives(schema);
  if (parts) return [...new Set(parts.map(typeOf))].join(' or ');
  if (schema['type'] === 'array') return `list of ${typeOf((schema['items'] ?? {}) as JsonSchema)}`;
  const values = schema['additionalProperties'];
  if (schema['type'] === 'object' && typeof values === 'object' && values !== null && !schema['properties']) return `names to ${typeOf(values as JsonSchema)}`;
  if (schema['format'] !== undefined) return text(String(schema['format']));
  return text([schema['type'] ?? 'anything'].flat().join(' or '));
}

const table = (head: string[], rows: string[][]): string => `<div class="wide"><table><thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</tbody></table></div>`;

/** Text that is shown as it is, but for words in backticks. */
const text = (raw: string): string => raw.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`).replace(/`([^`]+)`/g, '<code>$1</code>');

export const docsStyle = `:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 25%, transparent); }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; display: grid; grid-template-columns: 12rem minmax(0, 1fr); }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding: 1rem; }
nav ul { list-style: none; padding: 0; }
main { padding: 1rem 2rem 6rem; max-width: 70rem; }
h3 { font-size: 1rem; margin: 1rem 0 0; }
details { border: 1px solid var(--line); border-radius: 4px; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
code { font-family: ui-monospace, monospace; font-size: .92em; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-top: 1px solid var(--line); }
@media (max-width: 40rem) { body { display: block; } nav { position: static; } }
`;
