import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Fleet } from '../support/fleet.js';
import { repository } from '../support/repository.js';
import { eventually } from '../support/wait.js';
import type { Log } from './log.js';

/**
 * A plan whose first step says outside the working copy that it began, prints numbered lines over a while and says that it
 * ended; a second step and an artifact stand for what comes after.
 */
export async function numberedPlan(fleet: Fleet, name = 'numbered'): Promise<void> {
  await fleet.applyPlan(`
name: ${name}
workingCopy: { repository: ${await repository({ 'hello.txt': 'hello\n' })}, ref: main }
steps:
  - name: Count
    run: |
      date +%s%3N >>"$SIDE/began"
      i=0
      while [ $i -lt $LINES ]; do
        i=$((i+1)); echo "line $i"; echo "error $i" >&2; echo $i >"$SIDE/at"; sleep $PAUSE
      done
      echo counted >result.txt
      date +%s%3N >>"$SIDE/ended"
  - name: After
    run: date +%s%3N >>"$SIDE/after"; cat result.txt
  - name: Keep
    uses: upload-artifact
    with: { path: result.txt }
`);
}

/** One build of the numbered plan. */
export interface Numbered {
  id: string;
  lines: number;
  /** lines printed so far, as the host itself knows */
  at(): number;
  /** when the step ended on the host, epoch milliseconds */
  endedAt(): number;
  /** resolves when the step has printed so many lines */
  reached(line: number): Promise<void>;
  /** lines of one of the side files: how often something ran */
  ran(what: 'began' | 'ended' | 'after'): Promise<number>;
}

export async function startNumbered(fleet: Fleet, { lines = 30, pause = 0.1, plan = 'numbered' } = {}): Promise<Numbered> {
  const side = join(fleet.home, `side-${randomUUID()}`);
  await mkdir(side);
  const text = (name: string) => {
    try {
      return readFileSync(join(side, name), 'utf8');
    } catch {
      return '';
    }
  };
  const id = await fleet.build(plan, { SIDE: side, LINES: String(lines), PAUSE: String(pause) });
  return {
    id,
    lines,
    at: () => Number(text('at')),
    endedAt: () => Number(text('ended')),
    reached: async (line) => void (await eventually(() => Number(text('at')) >= line, { timeoutMs: 15_000 })),
    ran: async (what) => (await readFile(join(side, what), 'utf8').catch(() => '')).split('\n').length - 1,
  };
}

const numbered = (word: string, lines: number) => Array.from({ length: lines }, (_, i) => `${word} ${i + 1}\n`).join('');

/** The build passed as if nothing had happened: every line once and in order, every step run once. */
export async function expectRanOnce(fleet: Fleet, log: Log, build: Numbered): Promise<void> {
  log.one('BuildPassed', build.id);
  const commands = log.commandsOf(build.id);
  expect(commands.map((c) => c.id), 'commands of the build').toEqual(log.all('StepStarted', build.id).slice(0, 2).map((s) => s.data.action));
  for (const { id } of commands) expect(log.names(id)).toEqual(['ActionRequested', 'ActionStarted', 'ActionSucceeded']);
  expect(await build.ran('began'), 'runs of the first step').toBe(1);
  expect(await build.ran('after'), 'runs of the second step').toBe(1);
  expect(await fleet.output(commands[0]!.id)).toEqual({ stdout: numbered('line', build.lines), stderr: numbered('error', build.lines) });
  expect(await fleet.output(commands[1]!.id)).toEqual({ stdout: 'counted\n', stderr: '' });
  expect(log.one('ArtifactKept', build.id).data).toMatchObject({ name: 'result.txt', bytes: 8 });
}

/** Starts a build that prints so many large parts, and notes each with a byte in a file beside it. Resolves with its id. */
export async function startPouring(fleet: Fleet, side: string, parts: number): Promise<string> {
  await fleet.applyPlan(`
name: pour
workingCopy: {}
steps:
  - name: Pour
    run: |
      i=0
      while [ $i -lt ${parts} ]; do
        i=$((i+1)); seq -f "%.0f of part $i" 1 8000; echo >>"$SIDE"; sleep 0.01
      done
`);
  return fleet.build('pour', { SIDE: side });
}
