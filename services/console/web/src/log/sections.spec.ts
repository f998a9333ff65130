import type { BuildLogGroup, StepView } from '@berth/client';
import { describe, expect, it } from 'vitest';
import { sectionsOf } from './sections.js';

const step = (name: string, kind: string, outcome: StepView['outcome'], action: string | null): StepView => ({
  name, id: name, kind, outcome, action, needs: [], allowed: false, tries: 1, started: null, durationMs: null, exitCode: null, error: null, outputs: null, report: null,
});
const group = (section: number, name: string, action: string, more: Partial<BuildLogGroup> = {}): BuildLogGroup => ({ section, step: name, action, name, within: [], firstLine: 1, lastLine: 9, ...more });

describe('the sections of a log', () => {
  it('are the tries of steps, with their groups', () => {
    const sections = sectionsOf(
      [group(0, 'Test', 'a'), group(0, 'Test', 'a', { name: 'unit', within: ['Test'], firstLine: 2, lastLine: 5 }), group(1, 'Test', 'b', { lastLine: null })],
      [step('Test', 'run-command', 'running', 'b')],
    );
    expect(sections).toMatchObject([
      { section: 0, step: 'Test', attempt: 1, now: undefined, running: false, lines: 9, groups: [{ name: 'unit', firstLine: 2, lastLine: 5 }] },
      { section: 1, step: 'Test', attempt: 2, now: { outcome: 'running' }, running: true, lines: null, groups: [] },
    ]);
  });

  it('leaves out what runs on no host, and keeps what has printed nothing', () => {
    const nothing = { firstLine: null, lastLine: null };
    const sections = sectionsOf([group(0, 'Ask', 'a', nothing), group(1, 'Quiet', 'b', nothing)], [step('Ask', 'wait-for-approval', 'passed', 'a'), step('Quiet', 'run-command', 'passed', 'b')]);
    expect(sections).toMatchObject([{ step: 'Quiet', lines: 0 }]);
  });
});
