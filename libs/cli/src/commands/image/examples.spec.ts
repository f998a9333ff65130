import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { imageTemplate } from '@berth/contracts';
import { fakeBerth, type FakeBerth } from '../../fake-berth.testing.js';

const EXAMPLES = fileURLToPath(new URL('../../../../../examples/images', import.meta.url));
const read = (name: string) => readFile(join(EXAMPLES, name), 'utf8');

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});

const saved: Record<string, string[]> = {
  'providers.yaml': ['provider', 'set'], 'accounts.yaml': ['account', 'set'], 'environments.yaml': ['environment', 'set'], 'pools.yaml': ['pool', 'set'], 'catalogs.yaml': ['catalog', 'set'], 'deployables.yaml': ['deployable', 'set'],
  'policies.yaml': ['warehouse', 'policy', 'set'],
  'trial/provider.yaml': ['provider', 'set'], 'trial/account.yaml': ['account', 'set'], 'trial/environment.yaml': ['environment', 'set'],
};
const templates: Record<string, string> = { 'base.yaml': 'base', 'web.yaml': 'web', 'trial/template.yaml': 'trial' };

test.each(Object.entries(saved))('%s can be saved', async (name, words) => {
  fake.routes({ 'PUT *': [201, { id: 'x', name: 'x' }], 'PUT */*': [201, { id: 'x', name: 'x' }], 'PUT warehouse/*/*': [201, { id: 'x', name: 'x' }] });
  expect(await fake.berth('image', ...words, join(EXAMPLES, name))).toMatchObject({ code: 0, stderr: '' });
  expect(fake.asked.length).toBeGreaterThan(0);
});

test.each(Object.entries(templates))('%s is the template of %s', async (file, name) => {
  expect(imageTemplate.parse(parse(await read(file)))).toMatchObject({ name });
});

test('the blueprint can be applied', async () => {
  fake.routes({ 'PUT blueprints/*': [201, { id: 'x', name: 'x', version: 1 }] });
  expect(await fake.berth('blueprint', 'apply', join(EXAMPLES, 'web-hosts.yaml'))).toMatchObject({ code: 0 });
});

test('each file is known here and in the table of the examples', async () => {
  const files = (await readdir(EXAMPLES, { recursive: true })).filter((name) => name !== 'README.md' && name !== 'trial').sort();
  expect(files).toEqual([...Object.keys(saved), ...Object.keys(templates), 'smoke.yaml', 'web-hosts.yaml', 'worker.tdl'].sort());
  const table = await read('README.md');
  expect(files.map((name) => name.split('/')[0]!).filter((name) => !table.includes(`[${name}](${name})`))).toEqual([]);
});

test('what is named elsewhere is there', async () => {
  interface Entry { name: string; provider?: string; environment?: string; pool?: string; accounts?: string[]; catalogs?: string[] }
  const entries = async (name: string) => (await read(name)).split('\n---\n').map((text) => parse(text) as Entry);
  const [providers, accounts, environments, pools, catalogs, deployables] = await Promise.all([entries('providers.yaml'), entries('accounts.yaml'), entries('environments.yaml'), entries('pools.yaml'), entries('catalogs.yaml'), entries('deployables.yaml')]);
  const of = (all: readonly Entry[]) => all.map(({ name }) => name);
  expect(of(providers)).toEqual(expect.arrayContaining(accounts.map(({ provider }) => provider)));
  expect(of(accounts)).toEqual(expect.arrayContaining(environments.flatMap((one) => one.accounts ?? [])));
  expect(of(environments)).toEqual(expect.arrayContaining(pools.map(({ environment }) => environment)));
  expect(of(pools)).toEqual(expect.arrayContaining(catalogs.map(({ pool }) => pool)));
  expect(of(catalogs)).toEqual(expect.arrayContaining(deployables.flatMap((one) => one.catalogs ?? [])));
});

const guide = readFileSync(fileURLToPath(new URL('../../../../../docs/how-to/bake-images.md', import.meta.url)), 'utf8');
const typed = [...guide.matchAll(/^npx berth ([^|\n]+)/gm)].map(([, words]) => words!.trim());
test('the guide has commands', () => expect(typed.length).toBeGreaterThan(30));
test.each(typed)('as the guide types it: berth %s', async (line) => {
  // Nothing is there, so all are refused: what matters is that none is used wrongly.
  fake.routes({});
  const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain!);
  expect(await fake.berth(...words)).toMatchObject({ code: 1, stderr: expect.stringMatching(/no route|can't be read/) });
});
