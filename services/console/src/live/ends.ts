import type { AnyRecorded, BuildEvent } from '@berth/contracts';
import type { EventStore } from '@berth/event-store';
import { actionEnded, foldAction, type ActionRow } from '../views/action.js';
import type { Hub } from './hub.js';
import type { Totals } from './place.js';
import type { Section } from './sections.js';
import { Shared } from './shared.js';

/** What is known of an action that was never begun. */
const NOTHING: Totals = { stdoutBytes: null, stderrBytes: null };
export const totalsOf = ({ stdoutBytes, stderrBytes }: ActionRow): Totals => ({ stdoutBytes, stderrBytes });

/** Waits for the ends of actions and steps; thousands may wait for the same one. */
export class Ends {
  private readonly actions = new Shared<ActionRow>();
  private readonly steps = new Shared<Totals>();

  constructor(
    private readonly store: EventStore,
    private readonly hub: Hub,
  ) {}

  /**
   * The action once it has ended.
   * @throws when `signal` says stop first
   */
  async ofAction(action: string, signal: AbortSignal): Promise<ActionRow> {
    return told(await this.actions.join(action, signal, (own) => this.watchAction(action, own)), `action ${action}`);
  }

  /**
   * The end of a step's action. One that was refused never begins, and some steps have none at all: then the build's own
   * word for the end of the step counts.
   * @throws when `signal` says stop first
   */
  async ofStep(build: string, section: Section, signal: AbortSignal): Promise<Totals> {
    return told(await this.steps.join(`${build} ${section.action}`, signal, (own) => this.watchStep(build, section, own)), `build ${build}`);
  }

  /** The action as it is now; undefined when there is none. */
  async now(action: string): Promise<ActionRow | undefined> {
    return ((await this.store.load('action', action)) as AnyRecorded[]).reduce<ActionRow | undefined>(foldAction, undefined);
  }

  private async watchAction(action: string, signal: AbortSignal): Promise<ActionRow> {
    let row: ActionRow | undefined;
    for await (const recorded of this.hub.watch('action', action, signal)) {
      row = foldAction(row, recorded);
      if (row && actionEnded(row)) return row;
    }
    throw new Error(`nobody waits for action ${action} any more`);
  }

  private async watchStep(build: string, section: Section, signal: AbortSignal): Promise<Totals> {
    const settled = new AbortController();
    const either = AbortSignal.any([signal, settled.signal]);
    const byBuild = async (): Promise<Totals> => {
      let begun = false;
      for await (const { commit } of this.hub.watch('build', build, either)) {
        for (const event of commit.events as BuildEvent[]) {
          if (begun && endsStep(event, section)) return (await this.now(section.action)) ? totalsOf(await this.ofAction(section.action, either)) : NOTHING;
          begun ||= event.type === 'StepStarted' && event.data.action === section.action;
        }
      }
      throw new Error(`nobody waits for build ${build} any more`);
    };
    const ends = [this.ofAction(section.action, either).then(totalsOf), byBuild()];
    try {
      return await Promise.race(ends);
    } finally {
      settled.abort();
      void Promise.allSettled(ends); // the slower one ends by our word, not by an error of its own
    }
  }
}

const buildEnds = new Set<string>(['BuildPassed', 'BuildFailed', 'BuildAborted', 'BuildErrored'] satisfies BuildEvent['type'][]);
export const endsBuild = ({ type }: BuildEvent): boolean => buildEnds.has(type);

/** Steps may overlap: another one that begins or ends says nothing of this one. */
function endsStep(event: BuildEvent, { step }: Section): boolean {
  if (event.type === 'StepFinished' || event.type === 'StepStarted') return event.data.step === step;
  return event.type === 'BuildRetried' || endsBuild(event);
}

function told<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`nobody waits for ${what} any more`);
  return value;
}
