import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readPlan } from './adapters/plan-yaml.js';
import { source } from './spec/app.testing.js';

const root = new URL('../../../', import.meta.url);
const schema = JSON.parse(readFileSync(new URL('docs/reference/plan.schema.json', root), 'utf8')) as { $defs: Record<string, unknown> };
const validate = new Ajv2020({ allErrors: false, strict: true, strictTypes: false, strictRequired: false }).compile(schema);
const isPlan = (text: string) => !('accepted' in readPlan(text));
const fits = (text: string) => validate(parse(text));

/** A plan of one step, or with a key besides. */
const step = (more: string) => `name: p\nsteps:\n  - { name: A, ${more} }\n`;
const uses = (kind: string, parameters: string, more = '') => step(`uses: ${kind}, with: { ${parameters} }${more && `, ${more}`}`);
const key = (text: string) => `name: p\n${text}\nsteps: [{ name: A, run: x }]\n`;

const examples = readdirSync(new URL('examples', root)).filter((name) => name.endsWith('.yaml'));
test('there are examples', () => expect(examples).not.toEqual([]));
test.each(examples)('the example %s is one', (name) => {
  const text = readFileSync(new URL(`examples/${name}`, root), 'utf8');
  expect(fits(text), JSON.stringify(validate.errors)).toBe(true);
  expect(isPlan(text)).toBe(true);
});

describe('the schema and Berth take', () => {
  test.each([
    source,
    key('hosts: { a: { os: linux, cpus: ">=8", gpu: true, pool: [x, y] }, b: {} }'), key('machine: mac'), key('env: { A: 1, B: true, C: "${{ ref }}" }'), key('timeout: 1h30m\nqueueTimeout: 90s\nholdOnFailure: 5000\npriority: 0\ninfrastructureRetries: 0\nrestartable: never'),
    key('variables: { A: 1, B: { type: choice, choices: [x, 2], default: x, description: d }, C: { required: true } }'), key('secrets: { A: deploy, B: { secret: key, as: file } }'), key('allow: { initiators: [ada], projects: [x] }'),
    key('concurrency: { policy: cancel }'), key('concurrency: { group: "${{ plan.name }}", policy: queue }'), key('artifacts: { keep: 30d, builds: 5 }'), key('workingCopy: { repository: https://git.example/a, ref: main, also: { libs/b: { repository: https://git.example/b } } }'),
    step('run: x, shell: bash, env: { A: b }, timeout: 5m, retries: 2, continueOnError: true, if: always(), needs: []'), step('run: x, needs: [a], id: b').replace('steps:', 'steps:\n  - { name: A, run: y }'), step('run: "x ${{ matrix.v }}", matrix: { v: [1, two, true], exclude: [{ v: 1 }] }'), step('run: x, machine: windows'), step('run: x, host: { os: mac }'), step('run: x, host: main'),
    uses('checkout', 'repository: https://git.example/a, ref: "${{ ref }}", path: libs/a, depth: 1, submodules: recursive, lfs: true, secret: t'), uses('checkout', 'repository: /a, submodules: true'),
    uses('upload-artifact', 'path: [a, "b/**"], name: x, whenNone: pass'), uses('upload-artifact', 'path: "${{ ref }}.tgz"'), uses('download-artifact', 'name: "*.tgz", path: in, build: "${{ build.id }}"'), uses('download-artifact', ''),
    uses('put-file', 'path: a, content: b, mode: "755"'), uses('publish-fragment', 'path: r.xml, format: junit, name: unit, failOn: warnings, whenNone: pass'), uses('wait-for-previous-builds', 'plan: q, anyRef: true'),
    uses('http-request', 'url: https://x.example, method: PUT, headers: { X-A: b }, body: { a: [1, null] }, secret: t, expect: [200, 404]'), uses('http-request', 'url: https://x.example, body: text, expect: 204'),
    uses('wait-for-message', 'from: ci'), uses('wait-for-approval', 'message: ok, by: [ada]'), uses('wait-for-approval', 'by: ada'), uses('sleep', 'for: 30s'), uses('lease', 'type: service, attributes: { db: pg }, blueprints: [a]'), uses('call-plan', 'plan: q, variables: { A: 1 }, ref: v2'),
  ])('%s', (text) => {
    expect(readPlan(text)).not.toHaveProperty('errors');
    expect(fits(text), JSON.stringify(validate.errors)).toBe(true);
  });
  test('every kind of step by its name', () => expect(Object.keys(schema.$defs)).toHaveLength(13));
});

describe('the schema and Berth refuse', () => {
  test.each([
    'steps: [{ name: A, run: x }]', 'name: p', 'name: p\nsteps: []', 'name: p\nsteps: {}', 'name: p\nsteps: x', 'name: a b\nsteps: [{ name: A, run: x }]', 'name: 5\nsteps: [{ name: A, run: x }]',
    key('enviroment: {}'), key('host: linux'), key('host: { "": x }'), key('host: { os: [] }'), key('host: { os: { a: b } }'), key('machine: beos'), key('env: { 1A: x }'), key('env: { BERTH_X: x }'), key('env: { A: [x] }'), key('env: x'),
    key('timeout: 5'), key('timeout: soon'), key('timeout: ""'), key('priority: 1001'), key('priority: 1.5'), key('infrastructureRetries: -1'), key('restartable: sometimes'), key('concurrency: {}'), key('concurrency: { policy: wait }'), key('concurrency: queue'),
    key('variables: { A: { type: list } }'), key('variables: { A: { typ: string } }'), key('variables: { A: { type: choice, choices: [] } }'), key('secrets: { A: { secret: x, as: text } }'), key('secrets: { A: "a b" }'), key('artifacts: { builds: 0 }'), key('workingCopy: { rev: x }'), key('workingCopy: { ref: "a b" }'), key('allow: { initiators: [] }'),
    step('runn: x'), step('run: ""'), step('run: [x]'), step('run: x, uses: sleep, with: { for: 1s }'), 'name: p\nsteps: [{ run: x }]', step('run: x, shell: fish'), step('run: x, retries: 11'), step('run: x, needs: [A B]'), step('run: x, id: 1a'), step('run: x, timeout: 5'), step('run: x, continueOnError: "yes"'), step('run: x, if: ""'), step('run: x, matrix: { v: [] }'), step('run: x, matrix: { v: 1 }'), step('run: x, with: {}'),
    uses('nothing', ''), uses('run-command', 'command: x'), step('uses: sleep'), uses('sleep', ''), uses('sleep', 'for: 5'), uses('sleep', 'for: 1s', 'host: main'), uses('sleep', 'for: 1s, until: x'), uses('checkout', ''), uses('checkout', 'repository: /a, depth: 0'), uses('checkout', 'repository: /a, submodules: some'), uses('upload-artifact', 'path: []'), uses('upload-artifact', 'path: a, whenNone: never'),
    uses('put-file', 'path: a'), uses('put-file', 'path: a, content: b, mode: 755'), uses('put-file', 'path: a, content: b, mode: "999"'), uses('publish-fragment', 'path: a, format: html'), uses('http-request', ''), uses('http-request', 'url: https://x, method: TRACE'), uses('http-request', 'url: https://x, expect: 99'), uses('http-request', 'url: https://x, headers: { "a b": c }'), uses('call-plan', 'plan: a b'), uses('lease', ''), uses('wait-for-approval', 'by: []'),
  ])('%s', (text) => {
    expect(isPlan(text)).toBe(false);
    expect(fits(text)).toBe(false);
  });
});
