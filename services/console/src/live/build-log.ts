import type { Ends } from './ends.js';
import type { Group, Line } from './lines.js';
import type { ActionLogs, Match, TextOptions } from './log.js';
import type { Needle } from './search.js';
import type { Section, Sections } from './sections.js';

/** A line of a build's log: which section, and which line of it. */
export interface Spot {
  section: number;
  line: number;
}
export const START: Spot = { section: 0, line: 1 };

interface Choice {
  /** only sections of this step */
  step?: string | undefined;
}
export interface BuildLineOptions extends Choice {
  follow: boolean;
  from?: Spot | undefined;
  count?: number | undefined;
}

/** A section as a group of lines, and the groups inside of it. */
export interface SectionGroups {
  section: Section;
  groups: Group[];
  lines: number;
  ended: boolean;
}

/**
 * What builds print: the output of their steps, one section after the other, in the order in which the steps began. Steps
 * may run side by side; each is given whole, so whoever follows sees the lines of one only when those before it have ended.
 */
export class BuildLogs {
  constructor(
    private readonly sections: Sections,
    private readonly ends: Ends,
    private readonly actions: ActionLogs,
  ) {}

  /** As bytes; with `follow` until the build has ended. */
  async *text(build: string, { follow, offset = 0, plain, step }: Omit<TextOptions, 'stream'> & Choice, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    let left = offset;
    for await (const section of this.wanted(build, follow, step, signal)) {
      const { action } = section;
      const whole = plain ? undefined : this.actions.total(action);
      if (whole !== undefined && whole <= left) {
        left -= whole;
        continue;
      }
      const begin = whole === undefined ? 0 : left;
      left -= begin;
      for await (const piece of this.actions.text(action, { follow, plain, offset: begin }, signal, this.whenEnded(build, section, follow, signal))) {
        if (piece.byteLength > left) yield left > 0 ? piece.subarray(left) : piece;
        left = Math.max(0, left - piece.byteLength);
      }
    }
  }

  /** As lines of one section at a time. */
  async *lines(build: string, { follow, from = START, count, step }: BuildLineOptions, signal: AbortSignal): AsyncGenerator<{ section: Section; lines: Line[] }, void, undefined> {
    let left = count ?? Number.MAX_SAFE_INTEGER;
    for await (const section of this.wanted(build, follow, step, signal)) {
      if (section.index < from.section) continue;
      const first = section.index === from.section ? from.line : 1;
      for await (const lines of this.actions.lines(section.action, { follow, from: first, count: left }, signal, this.whenEnded(build, section, follow, signal))) {
        left -= lines.length;
        yield { section, lines };
      }
      if (left <= 0) return;
    }
  }

  /** Where the last `count` lines begin that there are now. */
  async tail(build: string, count: number, { step }: Choice, signal: AbortSignal): Promise<Spot> {
    const { sections } = await this.sections.now(build);
    const chosen = sections.filter((section) => step === undefined || section.name === step);
    let missing = count;
    for (const section of chosen.reverse()) {
      const { lines } = await this.actions.count(section.action, signal);
      if (lines >= missing) return { section: section.index, line: lines - missing + 1 };
      missing -= lines;
    }
    return START;
  }

  /** The last section of a step; undefined when it has not begun. */
  async last(build: string, step: string): Promise<Section | undefined> {
    return (await this.sections.now(build)).sections.findLast((section) => section.name === step);
  }

  async *groups(build: string, signal: AbortSignal): AsyncGenerator<SectionGroups, void, undefined> {
    const { sections, over } = await this.sections.now(build);
    for (const section of sections) {
      const { groups, lines, ended } = await this.actions.groups(section.action, signal);
      yield { section, groups, lines, ended: ended || over };
    }
  }

  /** The lines that have a text, among those there are now, from a line on. */
  async *search(build: string, needle: Needle, from: Spot, { step }: Choice, signal: AbortSignal): AsyncGenerator<{ section: Section; match: Match }, void, undefined> {
    for await (const section of this.wanted(build, false, step, signal)) {
      if (section.index < from.section) continue;
      for await (const match of this.actions.search(section.action, needle, section.index === from.section ? from.line : 1, signal)) yield { section, match };
    }
  }

  private async *wanted(build: string, follow: boolean, step: string | undefined, signal: AbortSignal): AsyncGenerator<Section, void, undefined> {
    const sections = follow ? this.sections.follow(build, signal) : (await this.sections.now(build)).sections;
    for await (const section of sections) {
      if (signal.aborted) return;
      if (step === undefined || section.name === step) yield section;
    }
  }

  private whenEnded(build: string, section: Section, follow: boolean, signal: AbortSignal) {
    return follow ? this.ends.ofStep(build, section, signal) : undefined;
  }
}
