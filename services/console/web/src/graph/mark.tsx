import type { StepView } from '@berth/client';
import type { Tone } from '../ui/badge';

/** How a step is told: by a word, a tone and a shape. */
export interface Look {
  word: string;
  tone: Tone;
  shape: 'ring' | 'half' | 'check' | 'cross' | 'bar' | 'slash' | 'question' | 'hand';
}

const decided = new Set(['wait-for-approval', 'wait-for-message']);
/** Whether a step waits for a person or for a system outside. */
export const awaitsSomebody = ({ kind }: Pick<StepView, 'kind'>): boolean => decided.has(kind);

/** Pure: how a step is shown. */
export function markOf({ outcome, allowed, kind }: Pick<StepView, 'outcome' | 'allowed' | 'kind'>): Look {
  switch (outcome) {
    case 'waiting':
      return { word: 'waiting', tone: 'off', shape: 'ring' };
    case 'running':
      return awaitsSomebody({ kind }) ? { word: kind === 'wait-for-approval' ? 'waits for an approval' : 'waits for a message', tone: 'wait', shape: 'hand' } : { word: 'running', tone: 'busy', shape: 'half' };
    case 'passed':
      return { word: 'passed', tone: 'good', shape: 'check' };
    case 'failed':
      return allowed ? { word: 'failed, allowed', tone: 'wait', shape: 'cross' } : { word: 'failed', tone: 'bad', shape: 'cross' };
    case 'skipped':
      return { word: 'skipped', tone: 'off', shape: 'bar' };
    case 'cancelled':
      return { word: 'cancelled', tone: 'off', shape: 'slash' };
    case 'lost':
      return { word: 'lost', tone: 'bad', shape: 'question' };
  }
}

const drawn: Record<Look['shape'], string> = {
  ring: '',
  half: 'M8 3.5 A4.5 4.5 0 0 1 8 12.5 Z',
  check: 'M4.5 8.5 L7 11 L11.5 5.5',
  cross: 'M5 5 L11 11 M11 5 L5 11',
  bar: 'M4.5 8 H11.5',
  slash: 'M4.5 11.5 L11.5 4.5',
  question: 'M8 4.5 V9 M8 11 V11.6',
  hand: 'M6.3 5 V11 M9.7 5 V11',
};

/** The shape of a state; the word beside it says the same. */
export function Mark({ of: { tone, shape } }: { of: Look }) {
  return (
    <svg className={`mark text-${tone}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden focusable="false">
      <circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" strokeWidth="1.6" {...(shape === 'ring' && { strokeDasharray: '2.6 2' })} />
      {shape !== 'ring' && <path d={drawn[shape]} fill={shape === 'half' ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />}
    </svg>
  );
}
