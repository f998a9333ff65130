import type { AnyRecorded, BuildEvent } from '@berth/contracts';
import type { EventStore } from '@berth/event-store';
import { endsBuild } from './ends.js';
import type { Hub } from './hub.js';

/** One try of one step: a part of a build's log. */
export interface Section {
  /** counts from 0, in the order in which the tries began; the same for ever */
  index: number;
  /** which step of the plan, counts from 0 */
  step: number;
  name: string;
  action: string;
}

/** After one of these a build that had ended goes on. */
const goesOn = new Set<string>(['BuildRequested', 'BuildPreparing', 'BuildStarted', 'StepStarted', 'BuildRetried'] satisfies BuildEvent['type'][]);

/** The sections of builds, from their events. */
export class Sections {
  constructor(
    private readonly store: EventStore,
    private readonly hub: Hub,
  ) {}

  /** Those there are now, and whether the build has ended. */
  async now(build: string): Promise<{ sections: Section[]; over: boolean; position: number }> {
    const sections: Section[] = [];
    let over = false;
    let position = 0;
    for (const recorded of (await this.store.load('build', build)) as AnyRecorded[]) {
      over = fold(recorded, sections, over);
      position = recorded.sequence;
    }
    return { sections, over, position };
  }

  /** Those there are, and those to come until the build has ended. A build that is run again goes on after its end. */
  async *follow(build: string, signal: AbortSignal): AsyncGenerator<Section, void, undefined> {
    const { sections, over, position } = await this.now(build);
    let given = 0;
    const fresh = () => sections.slice(given, (given = sections.length));
    yield* fresh();
    if (over) return;
    for await (const recorded of this.hub.watch('build', build, signal)) {
      if (recorded.sequence <= position) continue;
      const ended = fold(recorded, sections, false);
      yield* fresh();
      if (ended) return;
    }
  }
}

function fold({ commit }: AnyRecorded, sections: Section[], over: boolean): boolean {
  for (const event of commit.events as BuildEvent[]) {
    if (event.type === 'StepStarted') sections.push({ index: sections.length, step: event.data.step, name: event.data.name, action: event.data.action });
    if (endsBuild(event)) over = true;
    else if (goesOn.has(event.type)) over = false;
  }
  return over;
}
