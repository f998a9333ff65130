import { describe, expect, test } from 'vitest';
import type { SavedPlan } from '@berth/contracts';
import { readPlan } from '../../adapters/plan-yaml.js';

/** A plan of the steps given, each a line; and keys of the plan before them. */
const plan = (steps: readonly string[], ...keys: string[]) => `name: p\n${keys.map((key) => `${key}\n`).join('')}steps:\n${steps.map((step) => `  - ${step}\n`).join('')}`;
function read(text: string): SavedPlan {
  const saved = readPlan(text);
  if ('accepted' in saved) throw new Error(saved.errors.map(({ field, message }) => `${field} | ${message}`).join('\n'));
  return saved;
}
const ids = (text: string) => read(text).steps.map(({ id }) => id);
const needs = (text: string) => read(text).steps.map((step) => step.needs);
function errorsOf(text: string): string[] {
  const saved = readPlan(text);
  return 'accepted' in saved ? saved.errors.map(({ field, message }) => `${field} | ${message}`) : ['it is a plan'];
}
const run = (name: string, more = '') => `{ name: ${name}, run: x${more && `, ${more}`} }`;

describe('ids', () => {
  test('made from names', () => expect(ids(plan(['{ name: Unit tests (fast!), run: x }', '{ name: 12 Ünïts, run: x }', '{ name: "***", run: x }', '{ name: "~~~", run: x }']))).toEqual(['unit-tests-fast', 'n-ts', 'step', 'step-2']));
  test('one that is made makes way for one that is given', () => expect(ids(plan([run('Test'), run('Other', 'id: test'), run('Test')]))).toEqual(['test-2', 'test', 'test-3']));
  test('one of a matrix is no other step’s, and never too long to be named', () => {
    expect(ids(plan([run('Test', 'matrix: { v: [1, 2] }'), run('Other', 'id: test-1')]))).toEqual(['test-1-2', 'test-2', 'test-1']);
    const long = ids(plan([run('A', `id: ${'a'.repeat(63)}, matrix: { v: [x, y] }`)]));
    expect(long[0]!.length).toBeLessThanOrEqual(63);
    expect(new Set(long).size).toBe(2);
  });
  test('given twice', () => expect(errorsOf(plan([run('A', 'id: a'), run('B', 'id: a')]))).toEqual(['steps[1].id | line 4, column 28: steps[0] has the id a already: give this one another']));
});

describe('needs', () => {
  test('the step above, none, or those that are named: each of a matrix', () => {
    expect(needs(plan([run('A'), run('B'), run('C', 'needs: []'), run('D', 'needs: [a, c, a]'), run('E', 'needs: b')]))).toEqual([[], [0], [], [0, 2], [1]]);
    expect(needs(plan([run('A', 'matrix: { v: [1, 2] }'), run('B'), run('C', 'matrix: { v: [1, 2] }')]))).toEqual([[], [], [0, 1], [2], [2]]);
  });
  test('a step may need one that stands after it', () => expect(needs(plan([run('A', 'needs: b'), run('B', 'needs: []')]))).toEqual([[1], []]));
  test.each<[string, string[], string]>([
    ['of no step', [run('Build'), run('B', 'needs: [biuld]')], 'steps[1].needs[0] | line 4, column 32: no step has the id "biuld": did you mean "build"?'],
    ['of nothing like it', [run('A'), run('B', 'needs: [zzzzzz]')], 'steps[1].needs[0] | line 4, column 32: no step has the id "zzzzzz": there are a, b'],
    ['of one of a matrix', [run('A', 'matrix: { v: [1] }'), run('B', 'needs: [a-1]')], 'steps[1].needs[0] | line 4, column 32: no step has the id "a-1": there are a, b'],
    ['of itself', [run('A', 'needs: a')], 'steps[0].needs | line 3, column 24: goes round in a circle: a needs a: remove one of these'],
    ['in a circle', [run('A', 'needs: c'), run('B'), run('C')], 'steps[0].needs | line 3, column 24: goes round in a circle: a needs c needs b needs a: remove one of these'],
    ['in a circle behind others', [run('A'), run('B', 'needs: [a, d]'), run('C'), run('D')], 'steps[1].needs | line 4, column 24: goes round in a circle: b needs d needs c needs b: remove one of these'],
  ])('%s', (_what, steps, error) => expect(errorsOf(plan(steps))).toEqual([error]));
});

describe('matrix', () => {
  test('each combination is a step, without those that are left out', () => {
    const { steps } = read(plan([`{ name: Test, run: "make \${{ matrix.v }}", matrix: { os: [linux, mac], v: [1, 2.5, true], exclude: [{ os: mac, v: 1 }, { v: true }] } }`]));
    expect(steps.map(({ name, id, matrix }) => [name, id, matrix])).toEqual([
      ['Test (linux, 1)', 'test-linux-1', { os: 'linux', v: '1' }], ['Test (linux, 2.5)', 'test-linux-2-5', { os: 'linux', v: '2.5' }], ['Test (mac, 2.5)', 'test-mac-2-5', { os: 'mac', v: '2.5' }],
    ]);
  });
  test('its values in a name and in the name of a host', () =>
    expect(read(plan(['{ name: "On ${{ matrix.on }}!", run: x, host: "${{ matrix.on }}", matrix: { on: [a, b] } }'], 'hosts: { a: {}, b: { os: mac } }')).steps).toMatchObject([{ name: 'On a!', host: 'a' }, { name: 'On b!', host: 'b' }]));
  test.each<[string, string, string]>([
    ['no values', 'matrix: {}', 'steps[0].matrix | line 3, column 24: names no values: write a list for each name, such as `node: [20, 22]`'],
    ['nothing left', 'matrix: { a: [1], exclude: [{ a: 1 }] }', 'steps[0].matrix.exclude | line 3, column 42: leaves no combination'],
    ['a stranger left out', 'matrix: { a: [1], exclude: [{ b: 1 }] }', 'steps[0].matrix.exclude[0].b | line 3, column 54: is none of the names of this matrix: a'],
    ['too many', `matrix: { a: [${[...Array(17).keys()].join()}], b: [${[...Array(17).keys()].join()}] }`, 'steps[0].matrix | line 3, column 24: has more than 256 combinations: name fewer values'],
    ['an unknown value', 'matrix: { a: [1] }, if: matrix.b', 'steps[0].if | line 3, column 48: matrix.b: the matrix of this step has a'],
    ['a value where none is', "if: matrix.b == '1'", 'steps[0].if | line 3, column 28: matrix.b: this step has no matrix'],
  ])('%s', (_what, more, error) => expect(errorsOf(plan([run('A', more)]))).toEqual([error]));
  test('too many steps in all', () => expect(errorsOf(plan(['A', 'B', 'C'].map((name) => run(name, `matrix: { a: [${[...Array(50).keys()].join()}], b: [1, 2, 3, 4, 5] }`))))[0]).toContain('makes more than 500 steps in all'));
});

describe('hosts', () => {
  test('one, by attributes or by machine', () => {
    expect(read(plan([run('A')], 'machine: mac'))).toMatchObject({ host: { os: 'mac' } });
    expect(read(plan([run('A')], 'machine: mac', 'host: { cpus: ">=8" }'))).toMatchObject({ host: { os: 'mac', cpus: '>=8' } });
    expect(read(plan([run('A')]))).not.toHaveProperty('hosts');
  });
  test('several: the first is that of steps which name none', () =>
    expect(read(plan([run('A'), run('B', 'host: win')], 'hosts: { unix: { os: linux }, win: { os: windows } }'))).toMatchObject({ host: { os: 'linux' }, hosts: { unix: { os: 'linux' }, win: { os: 'windows' } }, steps: [{}, { host: 'win' }] }));
  test('a step with wants of its own adds a host, the same wants the same', () =>
    expect(read(plan([run('A'), run('B', 'machine: windows'), run('C', 'host: { os: windows }'), run('D', 'host: { gpu: true }')], 'machine: linux'))).toMatchObject({ hosts: { main: { os: 'linux' }, windows: { os: 'windows' }, true: { gpu: 'true' } }, steps: [{}, { host: 'windows' }, { host: 'windows' }, { host: 'true' }] }));
  test.each<[string, string[], string[], string]>([
    ['an unknown one', [run('A', 'host: winn')], ['hosts: { unix: {}, win: {} }'], 'steps[0].host | line 4, column 30: no host is named "winn": did you mean "win"?'],
    ['none has a name', [run('A', 'host: b')], [], 'steps[0].host | line 3, column 30: no host is named "b": there are main'],
    ['an unknown one by a matrix', ['{ name: A, run: x, host: "${{ matrix.h }}", matrix: { h: [a, c] } }'], ['hosts: { a: {}, other: {} }'], 'steps[0].host | line 4, column 30: no host is named "c": did you mean "a"?'],
    ['a value that is known later', ['{ name: A, run: x, host: "${{ ref }}" }'], ['hosts: { a: {} }'], 'steps[0].host | line 4, column 30: only values of the matrix can stand here, not ref'],
    ['an expression that is none', ['{ name: A, run: x, host: "${{ matrix. }}" }'], [], 'steps[0].host | line 3, column 30: ${{ matrix. }} can\'t be read at ". " (character 11)'],
    ['both ways', [run('A')], ['host: {}', 'hosts: { a: {} }'], 'host | line 2, column 1: a plan has either `host` (or `machine`) or `hosts`: remove one'],
    ['two systems', [run('A')], ['machine: mac', 'host: { os: linux }'], 'machine | line 2, column 10: is mac, and host.os is linux: remove one'],
    ['of a lease', ['{ name: A, uses: lease, with: { type: service, on: b } }'], ['hosts: { a: {} }'], 'steps[0].with.on | line 4, column 56: no host is named b: there are a'],
    ['an expression among its attributes', [run('A')], ['host: { os: "${{ vars.os }}" }'], 'host.os | line 2, column 13: is used as it stands here: ${{ … }} is not replaced'],
  ])('%s', (_what, steps, keys, error) => expect(errorsOf(plan(steps, ...keys))).toEqual([error]));
});

describe('names in expressions', () => {
  const two = (more: string) => plan([run('A'), run('B', more)], 'variables: { color: red }', 'secrets: { TOKEN: deploy }');
  test.each(['always()', '${{ failure() }}', 'vars.color == build.id', "steps.a.outcome == 'passed'", 'steps.a.outputs.x && steps.a.exitCode > 1', 'contains(repository.name, ref) || commit', 'plan.version > 1 && priority', "initiator == project"])('known: %s', (condition) => {
    expect(errorsOf(two(`if: "${condition}"`))).toEqual(['it is a plan']);
  });
  test.each<[string, string]>([
    ['vars.colour', 'the plan has no variable colour: did you mean color?'],
    ['vars', 'vars: write vars.NAME'], ['build.name', 'build.name: build has id, url, generation'], ['ref.x', 'ref.x: ref has no parts'], ['rref', 'nothing is called rref: did you mean ref?'],
    ['zzzzzz', 'nothing is called zzzzzz: there are build, plan, repository, initiator, project, priority, ref, commit, vars, matrix, steps; text stands between single quotes'],
    ['steps.c.outcome', 'steps.c.outcome: no step has the id c: did you mean a?'], ['steps.b.outcome', "steps.b.outcome: a step can't use its own results"], ['steps.a', 'steps.a: a step has outcome, exitCode, error, outputs'],
    ['steps.a.outputs', 'steps.a.outputs: write steps.a.outputs.NAME'], ['steps.a.outcome.x', 'steps.a.outcome.x: write steps.a.outcome'], ['steps.a.result', 'steps.a.result: a step has outcome, exitCode, error, outputs'],
    ['constructor', 'nothing is called constructor: there are build, plan, repository, initiator, project, priority, ref, commit, vars, matrix, steps; text stands between single quotes'],
    ['a == b ==', 'can\'t be read from "==" on: an operator is missing before it (character 8)'],
  ])('unknown: %s', (condition, message) => expect(errorsOf(two(`if: "${condition}"`))).toEqual([`steps[1].if | line 6, column 28: ${message}`]));
  test('of a step that may not be over, or has many results', () => {
    expect(errorsOf(plan([run('A'), run('B', 'needs: [], if: steps.a.outcome')]))).toEqual(['steps[1].if | line 4, column 39: steps.a.outcome: step a may not be over by then: name it in `needs`']);
    expect(errorsOf(plan([run('A', 'matrix: { v: [1, 2] }'), run('B', 'if: steps.a.outcome')]))).toEqual(['steps[1].if | line 4, column 28: steps.a.outcome: step a runs once for each combination of its matrix: its results have no one value']);
  });
  test('wherever values are put in', () => {
    const bad = '"${{ vars.nope }}"';
    const wrong = [
      `{ name: ${bad}, run: x }`, `{ name: A, run: ${bad} }`, `{ name: A, run: x, env: { A: ${bad} } }`, `{ name: A, uses: put-file, with: { path: a, content: ${bad} } }`, `{ name: A, uses: http-request, with: { url: 'http://x', body: { a: [${bad}] } } }`,
      `{ name: A, uses: call-plan, with: { plan: q, variables: { A: ${bad} } } }`, `{ name: A, uses: upload-artifact, with: { path: [a, ${bad}] } }`, `{ name: A, uses: lease, with: { type: host, attributes: { os: ${bad} } } }`, `{ name: A, uses: wait-for-approval, with: { message: ${bad} } }`,
    ];
    const fields = errorsOf(plan(wrong)).map((error) => error.split(' | ')[0]);
    expect([...new Set(fields)]).toEqual(['steps[0].name', 'steps[1].run', 'steps[2].env.A', 'steps[3].with.content', 'steps[4].with.body.a[0]', 'steps[5].with.variables.A', 'steps[6].with.path[1]', 'steps[7].with.attributes.os', 'steps[8].with.message']);
    expect(errorsOf(plan([run('A')], `env: { A: ${bad} }`, `concurrency: { group: "\${{ commit }}", policy: queue }`))).toEqual([
      'env.A | line 2, column 11: the plan has no variable nope: name it under `variables` of the plan', 'concurrency.group | line 3, column 23: commit: is known only once there is a working copy',
    ]);
  });
});

describe('secrets and variables', () => {
  test('are kept as references', () =>
    expect(read(plan([run('A', 'secrets: [TOKEN]')], 'secrets: { TOKEN: deploy, KEY: { secret: key, as: file } }', 'variables: { A: 1, B: { type: choice, choices: [x, y], default: x } }'))).toMatchObject({
      secrets: { TOKEN: { secret: 'deploy', as: 'env' }, KEY: { secret: 'key', as: 'file' } }, variables: { A: { type: 'string', required: false, default: '1' }, B: { type: 'choice', choices: ['x', 'y'] } }, steps: [{ secrets: ['TOKEN'] }],
    }));
  test.each<[string, string[], string[], string]>([
    ['an unknown secret', ['secrets: { TOKEN: a }'], [run('A', 'secrets: [TOKN]')], 'steps[0].secrets[0] | line 4, column 34: the plan has no secret TOKN: did you mean TOKEN?'],
    ['no secrets', [], [run('A', 'secrets: [TOKEN]')], 'steps[0].secrets[0] | line 3, column 34: the plan has no secret TOKEN: name it under `secrets` of the plan'],
    ...['${{ vars.U }}/x', 'https://${{ vars.U }}/x', 'https://a.${{ vars.U }}'].map((url): [string, string[], string[], string] => [`a secret for whoever is named by ${url}`, ['variables: { U: x }'], [`{ name: A, uses: http-request, with: { secret: a, url: '${url}' } }`], 'steps[0].with.url | line 4, column 60: has a value for its host, and a secret goes with it: whoever gives the value would choose who gets the secret. Write the host out']),
    ['a name for both', ['secrets: { A: a }', 'variables: { A: 1 }'], [run('A')], 'variables.A | line 3, column 14: is the name of a secret too: rename one'],
    ['a choice of nothing', ['variables: { A: { type: choice } }'], [run('A')], 'variables.A | line 2, column 17: is a choice: name its `choices`'],
    ['choices of text', ['variables: { A: { choices: [a] } }'], [run('A')], 'variables.A.choices | line 2, column 19: belongs to `type: choice`'],
    ['a default that is never used', ['variables: { A: { required: true, default: 1 } }'], [run('A')], 'variables.A.default | line 2, column 35: is never used: the variable is required. Remove one'],
    ['a default that is no number', ['variables: { A: { type: number, default: x } }'], [run('A')], 'variables.A.default | line 2, column 42: must be a number'],
    ['a default that is no choice', ['variables: { A: { type: choice, choices: [a, b], default: c } }'], [run('A')], 'variables.A.default | line 2, column 59: must be one of a, b'],
    ['a default with an expression', ['variables: { A: "${{ ref }}" }'], [run('A')], 'variables.A.default | line 2, column 14: is used as it stands here: ${{ … }} is not replaced'],
  ])('%s', (_what, keys, steps, error) => expect(errorsOf(plan(steps, ...keys))).toEqual([error]));
});

test('two artifacts of one name are one too many', () => {
  const upload = (more: string) => `{ name: U, uses: upload-artifact, ${more} }`;
  expect(errorsOf(plan([upload('with: { path: a/x.tgz }'), upload('with: { path: b, name: x.tgz }')]))).toEqual(['steps[1].with.name | line 4, column 62: the artifact x.tgz is kept by steps[0] already: give this one another `name`']);
  expect(errorsOf(plan([upload('matrix: { v: [1, 2] }, with: { path: a }')]))).toEqual(['steps[0].with.path | line 3, column 76: the artifact a is kept by each combination of the matrix: use one of its values in `name`']);
  expect(errorsOf(plan([upload('matrix: { v: [1, 2] }, with: { path: a, name: "a-${{ matrix.v }}" }'), upload('with: { path: "*.tgz" }'), upload('with: { path: "*.tgz" }')]))).toEqual(['it is a plan']);
});
