import { expect, test } from 'vitest';
import { decide, planDecider, type PlanState } from './plan.js';
import { plan } from '../spec/examples.js';

const apply = (source: string) => ({ type: 'Apply', source, plan }) as const;
const saved: PlanState = { status: 'saved', version: 4, source: 'a', plan };

test.each([
  ['the first source is version 1', planDecider.initial, 'a', [{ type: 'PlanSaved', data: { version: 1, source: 'a', plan } }]],
  ['another source is the next version', saved, 'b', [{ type: 'PlanSaved', data: { version: 5, source: 'b', plan } }]],
  ['the same source again is nothing new', saved, 'a', []],
] as const)('%s', (_what, state, source, events) => {
  expect(decide(apply(source), state)).toEqual(events);
});

test('a plan is what was saved last, and never leaves memory', () => {
  const state = planDecider.evolve(saved, { type: 'PlanSaved', data: { version: 5, source: 'b', plan } });
  expect(state).toEqual({ status: 'saved', version: 5, source: 'b', plan });
  expect(planDecider.ended()).toBe(false);
});
