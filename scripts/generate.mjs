// Writes the reference in docs/reference and infra/nats/permissions.conf from the contracts, so that it can't say anything else than the code.
// `--check` writes nothing and fails when a file differs. Runs on the built packages: `npm run generate` builds them first.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { planDocument } from '../libs/contracts/dist/index.js';
import { permissionsConf } from '../infra/nats/dist/index.js';
import { apiOf, controllers } from '../services/console/dist/index.js';
import { asyncapi } from './reference/asyncapi.mjs';
import { cliPage } from './reference/cli.mjs';
import { commandsPage } from './reference/commands.mjs';
import { eventsPage } from './reference/events.mjs';
import { refusalsPage } from './reference/refusals.mjs';
import { rolesPage } from './reference/roles.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FOLDER = 'docs/reference';
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Every generated file: its name and its text. */
export async function documents() {
  const files = {
    'asyncapi.json': `${JSON.stringify(asyncapi(version), null, 2)}\n`,
    'commands.md': commandsPage(),
    'events.md': eventsPage(),
    'refusals.md': refusalsPage(),
    'cli.md': await cliPage(ROOT),
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
