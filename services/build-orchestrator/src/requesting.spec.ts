import type { SavedPlan } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { requested } from './requesting.js';
import { BUILD, plan } from './spec/examples.js';

type Asked = Parameters<typeof requested>[1];
const none = { weights: undefined, url: undefined };
const ask = (more: Partial<SavedPlan> = {}, asked: Partial<Asked> = {}, extra: Parameters<typeof requested>[3] = none) => requested(BUILD, { plan: 'wordcount', variables: {}, ...asked } as Asked, { version: 3, plan: { ...plan, ...more } }, extra);
const errors = (answer: ReturnType<typeof ask>) => ('accepted' in answer ? [answer.code, ...answer.errors.map(({ field, message }) => `${field} ${message}`)] : ['it is taken']);

test('what a build is begun with', () => {
  expect(ask()).toEqual({ plan, planVersion: 3, variables: {}, initiator: `build:${BUILD}` });
  expect(ask({ priority: 7 }, { initiator: 'ada', project: 'compilers', holdOnFailure: 5, ref: 'v2', variables: { A: 'b' }, parent: { build: BUILD, step: 's' } }, { weights: [1, 2, 3, 4], url: 'https://berth.example' })).toEqual({
    plan: { ...plan, priority: 7, workingCopy: { ...plan.workingCopy, ref: 'v2' } }, planVersion: 3, variables: { A: 'b' }, initiator: 'ada', project: 'compilers', priority: 7, holdOnFailure: 5, parent: { build: BUILD, step: 's' }, weights: [1, 2, 3, 4], url: `https://berth.example/builds/${BUILD}`,
  });
  expect(ask({ priority: 7 }, { priority: 0 })).toMatchObject({ priority: 0 });
});
test('what is wanted of its hosts goes before what the plan says, for each of them', () => {
  expect(ask({ host: { os: 'linux', cpus: '>=2' } }, { host: { cpus: '>=8', imageVersion: '3' } })).toMatchObject({ plan: { host: { os: 'linux', cpus: '>=8', imageVersion: '3' } } });
  const hosts = { main: { os: 'linux' }, windows: { os: 'windows' } };
  expect(ask({ host: hosts.main, hosts }, { host: { imageVersion: '3' } })).toMatchObject({
    plan: { host: { os: 'linux', imageVersion: '3' }, hosts: { main: { os: 'linux', imageVersion: '3' }, windows: { os: 'windows', imageVersion: '3' } } },
  });
  expect(ask({ host: { os: 'linux' } }, { host: {} })).toEqual(ask({ host: { os: 'linux' } }));
});
test('of no plan', () => expect(requested(BUILD, { plan: 'nope', variables: {} } as Asked, undefined, none)).toMatchObject({ accepted: false, code: 'unknown-plan', errors: [{ field: 'data.plan' }] }));

test.each<[string, Partial<SavedPlan>, Partial<Asked>, string[]]>([
  ['an initiator that may', { allow: { initiators: ['ada'] } }, { initiator: 'ada' }, ['it is taken']],
  ['one that may not', { allow: { initiators: ['ada', 'bob'] } }, { initiator: 'eve' }, ['not-allowed', 'data.initiator is none of those who may: ada, bob']],
  ['nobody', { allow: { initiators: ['ada'] } }, {}, ['not-allowed', 'data.initiator is none of those who may: ada']],
  ['a project that may', { allow: { projects: ['x'] } }, { project: 'x' }, ['it is taken']],
  ['no project', { allow: { projects: ['x', 'y'] } }, {}, ['not-allowed', 'data.project must be one of x, y']],
])('who may start it: %s', (_who, more, asked, told) => expect(errors(ask(more, asked))).toEqual(told));

describe('variables', () => {
  const variables: SavedPlan['variables'] = {
    color: { type: 'choice', required: false, default: 'red', choices: ['red', 'blue'] }, count: { type: 'number', required: true, description: 'how many' }, dry: { type: 'boolean', required: false }, constructor: { type: 'string', required: false },
  };
  test('defaults are put in, what is not given stays away', () => expect(ask({ variables }, { variables: { count: '3' } })).toMatchObject({ variables: { color: 'red', count: '3' } }));
  test('nothing that an object has by itself is a value', () => expect(Object.keys((ask({ variables }, { variables: { count: '3' } }) as { variables: object }).variables).sort()).toEqual(['color', 'count']));
  test('a plan that names none takes any', () => expect(ask({}, { variables: { ANY: 'thing' } })).toMatchObject({ variables: { ANY: 'thing' } }));
  test.each<[string, Record<string, string>, string[]]>([
    ['an unknown one', { count: '1', colour: 'red' }, ['data.variables.colour is no variable of plan wordcount: did you mean color?']],
    ['one like nothing', { count: '1', zzzzzz: 'red' }, ['data.variables.zzzzzz is no variable of plan wordcount: it has color, count, dry, constructor']],
    ['a required one is missing', {}, ['data.variables.count is required (how many)']],
    ['no number', { count: 'three' }, ['data.variables.count must be a number']],
    ['no choice', { count: '1', color: 'green' }, ['data.variables.color must be one of red, blue']],
    ['neither true nor false', { count: '1', dry: 'yes' }, ['data.variables.dry must be true or false']],
    ['all at once', { color: 'x', dry: 'y' }, ['data.variables.color must be one of red, blue', 'data.variables.count is required (how many)', 'data.variables.dry must be true or false']],
  ])('refused: %s', (_what, given, told) => expect(errors(ask({ variables }, { variables: given }))).toEqual(['invalid-data', ...told]));
  test('the name of a secret', () => expect(errors(ask({ secrets: { TOKEN: { secret: 'a', as: 'env' } } }, { variables: { TOKEN: 'x' } }))).toEqual(['invalid-data', 'data.variables.TOKEN is the name of a secret of the plan: choose another']));
  test('too much', () => expect(errors(ask({}, { variables: { A: 'x'.repeat(300_000) } }))).toEqual(['invalid-data', 'data.variables may take 256 KiB as JSON: hand large values over in a file']));
});

test.each<[string, string, Partial<Asked>, string]>([
  ['the plan and the ref', '${{ plan.name }} ${{ ref }}', { ref: 'v2' }, 'wordcount v2'],
  ['whatever is known by then', '${{ initiator }}/${{ project }}/${{ vars.A }}/${{ repository.name }}/${{ plan.version }}/${{ priority }}', { initiator: 'ada', variables: { A: 'b' } }, 'ada//b/wordcount/3/100'],
  ['not too long', 'x'.repeat(600), {}, 'x'.repeat(512)],
])('the group of a build: %s', (_what, group, asked, expected) => expect(ask({ concurrency: { group, policy: 'queue' } }, asked)).toMatchObject({ group: expected, queued: true }));
