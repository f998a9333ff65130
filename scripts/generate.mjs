// Writes the reference in docs/reference and infra/nats/permissions.conf from the contracts, so that it can't say anything else than the code.
// `--check` writes nothing and fails when a file differs. Runs on the built packages: `npm run generate` builds them first.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer, commandEnvelope, commands, commitSchema, events, jsonSchema, outputHeaders, planDocument, refusals, role, statusEvent, statusKinds, subjects, uuid, writers } from '../libs/contracts/dist/index.js';
import { permissionsConf } from '../infra/nats/dist/index.js';
import { run as runCli } from '../libs/cli/dist/index.js';
import { apiOf, controllers } from '../services/console/dist/index.js';
import { permissions, permissionsOf } from '../services/console/dist/access/permissions.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = 'docs/reference';
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const MADE = 'Made from the contracts by `npm run generate`; do not edit.';

/** Kinds whose things people name. */
const NAMED = new Set(['machine', 'blueprint', 'fleet', 'plan', 'token', 'webhook']);

/** Every generated file: its name and its text. */
export async function documents() {
  const files = {
    'asyncapi.json': `${JSON.stringify(asyncapi(), null, 2)}\n`,
    'commands.md': commandsPage(),
    'events.md': eventsPage(),
    'refusals.md': refusalsPage(),
    'cli.md': await cliPage(),
    'roles.md': rolesPage(),
    'openapi.json': `${JSON.stringify(apiOf(controllers).document.json, null, 2)}\n`,
    'plan.schema.json': `${JSON.stringify(planDocument(), null, 2)}\n`,
  };
  return [...Object.entries(files).map(([name, text]) => ({ file: `${FOLDER}/${name}`, text })), { file: 'infra/nats/permissions.conf', text: permissionsConf() }];
}

/** The first generated file that is not on disk as it should be, or undefined. */
export async function staleFile(root = ROOT) {
  for (const { file, text } of await documents()) if (read(join(root, file)) !== text) return file;
  return undefined;
}

// --- schemas ---

const schemaOf = jsonSchema;

// --- AsyncAPI ---

function asyncapi() {
  const channels = {};
  const operations = {};
  const messages = {};
  const schemas = { Answer: schemaOf(answer, 'output') };
  const ref = (path) => ({ $ref: `#/${path}` });
  /** A channel with its messages, each of which is named once for all channels. */
  const channel = (name, address, description, own, parameters) => {
    channels[name] = {
      address,
      description,
      ...(parameters && { parameters: Object.fromEntries(Object.entries(parameters).map(([key, text]) => [key, { description: text }])) }),
      messages: Object.fromEntries(own.map((message) => [message, ref(`components/messages/${message}`)])),
    };
  };
  const message = (name, summary, payload, more = {}) => {
    messages[name] = { name, summary, contentType: 'application/json', ...more, payload };
  };
  const operation = (name, action, of, own, more = {}) => {
    operations[name] = { action, channel: ref(`channels/${of}`), ...more, messages: own.map((one) => ref(`channels/${of}/messages/${one}`)) };
  };

  message('Answer', 'What a command is answered with on its reply subject.', ref('components/schemas/Answer'));
  channel('answer', null, 'The reply subject of whoever asks.', ['Answer']);
  for (const [service, types] of Object.entries(commands)) {
    for (const [type, schema] of Object.entries(types)) {
      schemas[type] = schemaOf(schema, 'input');
      const envelope = schemaOf(commandEnvelope, 'input');
      const payload = { ...envelope, properties: { ...envelope.properties, type: { ...envelope.properties.type, const: type }, data: ref(`components/schemas/${type}`) } };
      message(type, schemas[type].description, payload);
      channel(type, subjects.command(service, type), `Command of ${service}.`, [type]);
      operation(`receive${type}`, 'receive', type, [type], { reply: { channel: ref('channels/answer'), messages: [ref('channels/answer/messages/Answer')] } });
    }
  }
  for (const [kind, types] of Object.entries(events)) {
    for (const [type, schema] of Object.entries(types)) schemas[type] = schemaOf(schema, 'output');
    const commit = schemaOf(commitSchema, 'output');
    const items = { oneOf: Object.keys(types).map((type) => ({ type: 'object', properties: { type: { const: type }, data: ref(`components/schemas/${type}`) }, required: ['type', 'data'] })) };
    const name = `${kind}Commit`;
    message(name, `What one decision wrote to a ${kind}: one or more events.`, { ...commit, properties: { ...commit.properties, events: { ...commit.properties.events, items } } });
    channel(`${kind}Events`, subjects.event(kind, '{id}'), `Events of one ${kind}, written by ${writers[kind]} alone. Internal truth: it may grow.`, [name], { id: NAMED.has(kind) ? 'its name' : 'its UUID' });
    operation(`send${capital(kind)}Events`, 'send', `${kind}Events`, [name]);
  }
  const text = (description) => ({ type: 'string', description });
  message('OutputChunk', 'Raw bytes that a command printed, at most 64 KiB.', { description: 'raw bytes' }, {
    contentType: 'application/octet-stream',
    headers: {
      type: 'object',
      properties: {
        [outputHeaders.stream]: { enum: ['stdout', 'stderr'], description: 'which of the two' },
        [outputHeaders.offset]: text('where in its stream the first byte stands'),
        [outputHeaders.reached]: text('how far both have come after this chunk: <stdout bytes>,<stderr bytes>'),
        [outputHeaders.cut]: text('of an empty chunk: so many bytes were left out from its offset on, because there were more than are kept'),
        [outputHeaders.time]: text('when the gateway read it, RFC 3339'),
      },
      required: [outputHeaders.stream, outputHeaders.offset, outputHeaders.reached, outputHeaders.time],
    },
  });
  channel('output', subjects.output('{action}'), 'What a command prints. A chunk may be stored twice after a crash: what stands at an offset reached before is known already.', ['OutputChunk'], { action: 'id of the action' });
  operation('sendOutput', 'send', 'output', ['OutputChunk']);
  message('LiveFrame', 'A frame of a live session, at most 64 KiB: a byte that says what it is, its number, and what it carries. See http.md.', { description: 'raw bytes' }, { contentType: 'application/octet-stream' });
  for (const [way, what] of [['up', 'To the host'], ['down', 'From the host']]) {
    channel(`live${capital(way)}`, subjects.live('{action}', '{channel}', way), `${what}: what goes through a terminal or a forward. Kept nowhere.`, ['LiveFrame'], { action: 'id of the action', channel: 'one for each who joins' });
  }
  operation('receiveLive', 'receive', 'liveUp', ['LiveFrame']);
  operation('sendLive', 'send', 'liveDown', ['LiveFrame']);
  schemas.Status = schemaOf(statusEvent, 'output');
  message('Status', 'The present state of one thing, as a CloudEvent 1.0.', ref('components/schemas/Status'), { contentType: 'application/cloudevents+json' });
  for (const kind of statusKinds) {
    channel(`${kind}Status`, subjects.status(kind, '{id}'), `State of one ${kind}; the last one is kept.`, ['Status'], { id: NAMED.has(kind) ? 'its name' : 'its UUID' });
    operation(`send${capital(kind)}Status`, 'send', `${kind}Status`, ['Status']);
  }
  message('DeadLetter', 'A command that could not be read or carried out, as it came.', { description: 'what was sent, whatever it was' }, {
    contentType: 'application/octet-stream',
    headers: { type: 'object', properties: { 'Berth-Reason': text('why'), 'Berth-Subject': text('where it was sent'), 'Berth-Tries': text('how often it was tried') }, required: ['Berth-Reason', 'Berth-Subject'] },
  });
  channel('dead', subjects.dead('{service}', '{type}'), 'Dead letters.', ['DeadLetter'], { service: 'the service that gave up', type: 'last part of the subject' });
  operation('sendDead', 'send', 'dead', ['DeadLetter']);

  return {
    asyncapi: '3.0.0',
    info: { title: 'Berth', version, description: `The bus of Berth, on NATS JetStream. ${MADE}`, license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    channels,
    operations,
    components: { messages, schemas },
  };
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

// --- tables ---

function commandsPage() {
  const parts = [
    '# Commands',
    MADE,
    'A command is JSON `{"id", "type", "data"}` on `berth.cmd.<service>.<type>`. The same for programs: [asyncapi.json](asyncapi.json). What a refusal can be: [refusals.md](refusals.md).',
    '## The envelope',
    table(schemaOf(commandEnvelope, 'input')),
    '## The answer',
    ...shapes(schemaOf(answer, 'output')),
  ];
  for (const [service, types] of Object.entries(commands)) {
    parts.push(`## ${service}`);
    for (const [type, schema] of Object.entries(types)) parts.push(`### ${type}`, ...described(schemaOf(schema, 'input')), `Subject: \`${subjects.command(service, type)}\``);
  }
  return page(parts);
}

function eventsPage() {
  const parts = [
    '# Events',
    MADE,
    'One decision is one commit: a message on `berth.evt.<kind>.<id>` with one or more events. Its sequence in `BERTH_EVENTS` is the position of the commit and the revision of its stream. These are internal truth and may grow; frontends read `berth.status.<kind>.<id>`.',
    '## The commit',
    table(schemaOf(commitSchema, 'output')),
  ];
  for (const [kind, types] of Object.entries(events)) {
    parts.push(`## ${kind}`, `Written by \`${writers[kind]}\` on \`${subjects.event(kind, '<id>')}\`.`);
    for (const [type, schema] of Object.entries(types)) parts.push(`### ${type}`, ...described(schemaOf(schema, 'output')));
  }
  return page(parts);
}

function refusalsPage() {
  const row = ([code, status]) => {
    if (MEANINGS[code] === undefined) throw new Error(`the refusal ${code} has no meaning in scripts/generate.mjs: add one`);
    return [`\`${code}\``, String(status), MEANINGS[code]];
  };
  return page([
    '# Refusals',
    MADE,
    'A refusal on the bus is `{"accepted": false, "code", "message", "errors"}`. Over HTTP it is `application/problem+json` with the same `code`, and the status below. The command line ends with 1 for each.',
    markdown(['code', 'HTTP status', 'meaning'], Object.entries(refusals).map(row)),
    'HTTP has a few more of its own: [http.md](http.md).',
  ]);
}

function rolesPage() {
  const rows = Object.entries(permissions).map(([name, { reach, what }]) => [`\`${name}\``, ...role.options.map((one) => (permissionsOf(one, null).includes(name) ? 'yes' : '')), reach === 'projects' ? 'yes' : '', what]);
  return page([
    '# Roles and permissions',
    'Made from `services/console/src/access/permissions.ts` by `npm run generate`; do not edit. How to give them: [give-access.md](../how-to/give-access.md).',
    markdown(['permission', ...role.options, 'with projects', 'to'], rows),
    ROLE_NOTES,
  ]);
}

const ROLE_NOTES = `**With projects** says what a token of that role keeps when it has projects. It sees and touches only what acts for one of
them: lists leave out all else, and a single thing that acts for another project, or for none, is not there (404). Machines,
blueprints, plans and free slots act for nobody and are seen by all; who holds the other slots of a host is left out. One thing
is told all the same: why a request waits, and that may name who holds what it waits for.

**Whose things.** An operator or admin touches every lease and build (with projects: every one of them). A builder with projects touches what
acts for them; a builder without touches what is its own, where it is the owner of the lease or the initiator of the build.

**In whose name.** What a builder asks for has its own name as owner and initiator, and so has what it says in messages and
artifacts (\`by\`); another name is refused. With one project that is filled in; with several the request says which.
Operators and admins may name anybody.

Everybody who is signed in may ask \`GET /api/v1/me\`, end the own session, and have a link made to sign in with as the same.
\`GET /healthz\`, \`POST /api/v1/session\` and \`/login/oidc\` need nobody to be signed in.`;

const MEANINGS = {
  'invalid-json': 'what was sent is not JSON',
  'invalid-command': 'the envelope is wrong, or its type is not that of the subject',
  'unknown-command': 'the service has no such command',
  'invalid-data': 'the data of the command is wrong; `errors` names each field',
  'invalid-plan': 'the plan is not valid; `errors` has path, line and column',
  'unknown-plan': 'no plan is saved under that name',
  'unknown-build': 'there is no such build',
  'unknown-lease': 'there is no such lease, or it is gone',
  'unknown-machine': 'there is no such machine',
  'unknown-action': 'there is no such action',
  'unknown-blueprint': 'there is no such blueprint',
  'unknown-resource': 'there is no such resource',
  'unknown-token': 'there is no such token',
  'unknown-webhook': 'there is no such webhook',
  'unknown-secret': 'there is no such secret',
  'sealing-key-changed': 'a value was sealed to a key that the gateway no longer has: send it again',
  'no-new-key': 'the key of the secrets comes from the environment, which has no new one yet',
  'name-taken': 'another machine, or another token, has that name',
  'lease-ended': 'the lease is over: ask for a new one',
  'lease-not-active': 'the lease cannot be used yet, or no longer',
  'build-ended': 'the build is over',
  'not-restartable': 'the plan says that its builds are not run again',
  'not-allowed': 'whoever asks is none of those who may',
  'unknown-step': 'the build has no step of that id',
  'step-ended': 'the step is over, or was decided on before',
  'step-not-over': 'the step, or one that builds on it, still runs or waits',
  'stale-token': "the fencing token is not that of the lease's present grant",
  'blueprint-in-use': 'resources of the blueprint are left: it can be disabled, and removed when they are gone',
  'built-in': 'the blueprint is built in and cannot be removed: disable it',
  'limit-in-use': 'more is in use than the new limit would allow',
  unservable: 'nothing there could ever serve the request, or not now and it was not to wait; over HTTP with the `explanation`',
  'provider-refused': 'the provider says that a launch could not work; `errors` names the field of the blueprint',
  'machine-unreachable': 'nothing answers at that address',
  'machine-refused': 'the machine does not let us in, is not what was said, or could not do it',
  'host-key-changed': 'the machine shows another key than the pinned one',
  'machine-changed': 'somebody else changed the machine while this change was being tried: look at it and send it again',
  'path-outside': 'the path leaves the working copy',
  'too-many-sessions': 'so many terminals and forwards are open under the lease that there is no room for another',
  unavailable: 'a part of Berth does not answer: send the same id again',
  unauthorized: 'HTTP: no token or session, or one that opens nothing (any more)',
  forbidden: 'HTTP: whoever asks may not do this: the role, the projects or the owner forbid it',
  'rate-limited': 'HTTP: too many requests, or too many wrong tokens: wait as long as `Retry-After` says',
  'not-found': 'there is nothing of that kind under that name',
};

function described(schema) {
  return [...(schema.description ? [schema.description] : []), ...shapes(schema)];
}

/** One table, or one for each alternative. */
function shapes(schema) {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives) return alternatives.flatMap((one, i) => [`${i === 0 ? 'Either' : 'Or'}:`, table(one)]);
  return Object.keys(schema.properties ?? {}).length === 0 ? ['No data.'] : [table(schema)];
}

function table(schema) {
  return markdown(['field', 'type', '', 'meaning'], rowsOf(schema, ''));
}

function rowsOf(schema, prefix) {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const needed = schema.required?.includes(name) ? 'required' : field.default === undefined ? 'optional' : `default \`${JSON.stringify(field.default)}\``;
    const meaning = field.format === 'uuid' && field.description === uuid.description ? '' : (field.description ?? '');
    return [[`\`${path}\``, typeOf(field), needed, meaning], ...inner(field, path)];
  });
}

/** Rows of what a field holds. */
function inner(field, path) {
  const alternatives = field.oneOf ?? field.anyOf;
  if (alternatives?.some((one) => one.properties)) {
    return alternatives.filter((one) => one.properties).flatMap((one) => {
      const [key, mark] = Object.entries(one.properties).find(([, value]) => value.const !== undefined) ?? [];
      const when = key === undefined ? '' : ` (${mark.const})`;
      return rowsOf({ ...one, properties: Object.fromEntries(Object.entries(one.properties).filter(([name]) => name !== key)) }, `${path}.`).map(([name, ...rest]) => [`${name}${when}`, ...rest]);
    });
  }
  if (field.type === 'array') return inner(field.items, `${path}[]`);
  if (field.type === 'object' && field.propertyNames) return inner(field.additionalProperties, `${path}.NAME`);
  return field.properties ? rowsOf(field, `${path}.`) : [];
}

function typeOf(field) {
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.enum) return field.enum.map((value) => `\`${value}\``).join(', ');
  const alternatives = field.oneOf ?? field.anyOf;
  if (alternatives) {
    const marks = alternatives.flatMap((one) => Object.entries(one.properties ?? {}).filter(([, value]) => value.const !== undefined).map(([key, value]) => `\`${key}: ${value.const}\``));
    if (marks.length === alternatives.length) return `object with ${marks.join(', ')}`;
    return [...new Set(alternatives.map(typeOf))].join(' or ');
  }
  if (Array.isArray(field.type)) return field.type.map((type) => names[type] ?? type).join(' or ');
  if (field.type === 'array') return `list of ${typeOf(field.items)}`;
  if (field.type === 'object' && field.propertyNames) return `names to ${typeOf(field.additionalProperties)}`;
  if (field.format === 'uuid') return 'UUID';
  if (field.format === 'date-time') return 'RFC 3339 time';
  if (field.type === 'integer' || field.type === 'number') return `number${range(field)}`;
  return names[field.type] ?? 'anything';
}

const names = { string: 'text', number: 'number', integer: 'number', boolean: 'true or false', object: 'object', null: 'null' };

function range({ minimum, maximum, exclusiveMinimum }) {
  const from = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  if (from === undefined) return '';
  return maximum === undefined ? `, at least ${from}` : `, ${from} to ${maximum}`;
}

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const markdown = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
const page = (parts) => `${parts.join('\n\n')}\n`;

// --- the command line ---

async function cliPage() {
  const parts = ['# The command line', `Made from \`berth --help\` by \`npm run generate\`; do not edit.`, CLI_NOTES];
  const open = [[]];
  for (let words = open.shift(); words; words = open.shift()) {
    const help = await helpOf(words);
    const list = /\nCommands:\n([\s\S]*)$/.exec(help)?.[1] ?? '';
    const own = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => [...words, name]).filter((command) => command.at(-1) !== 'help');
    parts.push(`${words.length < 2 ? '##' : '###'} ${['berth', ...words].join(' ')}`, `\`\`\`text\n${help.trimEnd()}\n\`\`\``);
    open.unshift(...own);
  }
  return page(parts);
}

const CLI_NOTES = `Run it as \`npx berth\` in the checkout, once \`npm start\` or \`npm run build\` has built it. It finds Berth by \`BERTH_URL\` and \`BERTH_TOKEN\`, else by \`cli.json\` in the state folder
([environment.md](environment.md)).

Every command that does something takes \`--json\`: one JSON value on standard output. A failure is \`{"error": {"code", "message", "errors"}}\` there.

| exit code | meaning |
| --- | --- |
| 0 | done; \`build watch\` and \`build start --watch\`: the build passed |
| 1 | refused or failed; \`lease request --dry-run\`: it would be refused |
| 2 | used wrongly |
| 130 | \`lease request\` was interrupted while it waited: the lease is given back; \`lease keep\` was interrupted: it is not |

\`lease exec\` ends with the exit code of its command; 124 when its time was up, 130 when it was cancelled, 1 when it could not be run.`;

async function helpOf(words) {
  let text = '';
  const sink = { write: (part) => void (text += part), columns: 96 };
  await runCli([...words, '--help'], { env: {}, cwd: ROOT, stdout: sink, stderr: sink });
  return text;
}

// --- writing ---

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function main(args) {
  const unknown = args.filter((arg) => arg !== '--check');
  if (unknown.length > 0) {
    process.stderr.write(`generate: unknown option ${unknown.join(' ')}; usage: npm run generate [-- --check]\n`);
    return 2;
  }
  if (args.includes('--check')) {
    const stale = await staleFile();
    if (stale === undefined) return 0;
    process.stderr.write(`${stale} is not what the contracts say: run \`npm run generate\` and commit the result.\n`);
    return 1;
  }
  mkdirSync(join(ROOT, FOLDER), { recursive: true });
  for (const { file, text } of await documents()) {
    if (read(join(ROOT, file)) === text) continue;
    writeFileSync(join(ROOT, file), text);
    process.stdout.write(`${file}\n`);
  }
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
