import { filled, label, message } from './clean.js';
import { asWritten, ReportFault } from './fault.js';
import type { TestsRead } from './junit.js';
import type { ReportLimits } from './limits.js';
import { lines } from './lines.js';
import { nodeOutcome } from './node-failures.js';
import { DiagnosticsReader, type Diagnostics } from './tap-diagnostics.js';
import { tapLine, type TapLine } from './tap-line.js';
import { TestTally } from './tally.js';

type TestLine = Extract<TapLine, { is: 'test' }>;
/** Tests of one indentation: of the file, or of one subtest. */
interface Group {
  indent: number;
  tally: TestTally;
  points: number;
  planned: number | undefined;
  /** Why all of it was skipped. */
  skip: string | undefined;
  /** The test point that the group belongs to, where that stood before it ("ok 1 - name {"). */
  opener: TestLine | undefined;
}
/** A test point whose diagnostics may still follow. */
interface Pending {
  test: TestLine;
  subtests: Group | undefined;
  diagnostics: Diagnostics | undefined;
  comments: string;
}

/**
 * Reads TAP 12, 13 and 14. Counted are the tests that have no subtests. One that has is the name of a group: its result stands
 * for those in it when it says that they do not matter, and counts by itself when it failed though none of them did.
 * @throws {ReportFault}
 */
export function readTap(text: string, limits: ReportLimits): TestsRead {
  const reader = new TapReader(limits);
  for (const { line, number } of lines(text)) reader.line(line, number);
  return reader.done();
}

class TapReader {
  /** Of the streams that have ended; a file may hold several, one after the other. */
  readonly #tally = new TestTally();
  #groups: Group[] = [group(0)];
  #pending: Pending | undefined;
  #yaml: DiagnosticsReader | undefined;
  /** The dashes of the block, until its own indentation is known. */
  #yamlStart: number | undefined;
  #bailed = false;
  #seen = false;
  #node = false;
  #durationMs: number | undefined;

  constructor(readonly limits: ReportLimits) {}

  line(line: string, number: number): void {
    const content = line.trimStart();
    const indent = line.length - content.length;
    if (this.#yamlStart !== undefined && !this.#inYaml(line, content, indent, this.#yamlStart)) return;
    if (content.startsWith('---') && content.trimEnd() === '---' && this.#pending && !this.#pending.diagnostics && indent >= this.#top.indent) {
      this.#yamlStart = indent;
      return;
    }
    if (indent % 4 !== 0) return;
    this.#read(tapLine(content.trimEnd()), indent, number);
  }

  done(): TestsRead {
    if (this.#yaml) this.#endYaml();
    this.#endStream();
    if (!this.#seen) throw new ReportFault(`has no line of TAP, such as "1..3" or "ok 1 - a name": name the format that it has, or the file that is meant`);
    return { tally: this.#tally, durationMs: this.#durationMs, node: this.#node };
  }

  get #top(): Group {
    return this.#groups.at(-1)!;
  }

  /** Is this line to be read as TAP after all? */
  #inYaml(line: string, content: string, indent: number, start: number): boolean {
    if (indent < start && content !== '') {
      this.#endYaml();
      return true;
    }
    if (indent === start && content.trimEnd() === '...') this.#endYaml();
    else {
      if (!this.#yaml && content !== '') this.#yaml = new DiagnosticsReader(indent);
      this.#yaml?.add(line);
    }
    return false;
  }

  #endYaml(): void {
    if (this.#pending && this.#yaml) {
      this.#pending.diagnostics = this.#yaml.done();
      if (this.#pending.diagnostics.durationMs !== undefined) this.#node = true;
    }
    this.#yaml = undefined;
    this.#yamlStart = undefined;
  }

  #read(line: TapLine, indent: number, number: number): void {
    switch (line.is) {
      case 'other':
        return;
      case 'comment':
        return this.#comment(line.text, indent);
      case 'version':
        return this.#version(line.version, indent, number);
      case 'bail':
        return this.#bail(line.reason);
      case 'plan':
        return this.#plan(line.count, line.skip, indent, number);
      case 'end':
        return this.#end(indent);
      case 'test':
        return this.#test(line, indent, number);
    }
  }

  #comment(text: string, indent: number): void {
    const pending = this.#pending;
    if (pending && !/^Subtest\b/.test(text) && pending.comments.length < 2048) pending.comments += `${text}\n`;
    const duration = indent === 0 ? /^duration_ms ([\d.]{1,20})$/.exec(text)?.[1] : undefined;
    if (duration !== undefined) this.#durationMs = (this.#durationMs ?? 0) + Number(duration);
  }

  #version(version: number, indent: number, number: number): void {
    if (version < 12 || version > 14) throw new ReportFault(`says TAP version ${version}, and 12, 13 and 14 are read: have it written in one of those`, number);
    this.#seen = true;
    // Inside of a subtest it says nothing new; otherwise another stream begins.
    if (indent > 0) return;
    this.#settle();
    if (this.#groups.length > 1 || this.#top.points > 0 || this.#top.planned !== undefined) this.#endStream();
  }

  #bail(reason: string): void {
    this.#settle();
    this.#seen = true;
    if (this.#bailed) return;
    this.#bailed = true;
    this.#tally.add({ kind: 'test', name: 'Bail out!', outcome: 'broken', ...filled('message', message(reason)) });
  }

  #plan(count: number, skip: string | undefined, indent: number, number: number): void {
    this.#settle();
    this.#seen = true;
    const at = this.#at(indent, number);
    at.planned = count;
    if (count === 0) at.skip = skip;
  }

  #test(test: TestLine, indent: number, number: number): void {
    this.#settle();
    this.#seen = true;
    const subtests = this.#popDeeperThan(indent);
    const at = this.#at(indent, number);
    at.points += 1;
    if (test.opens) this.#push({ ...group(indent + 4), opener: test }, number);
    else this.#pending = { test, subtests, diagnostics: undefined, comments: '' };
  }

  /** The end of a group that was opened with "{". */
  #end(indent: number): void {
    this.#settle();
    const subtests = this.#popDeeperThan(indent);
    if (subtests?.opener) this.#close(subtests.opener, subtests, undefined, '');
  }

  /** The group of an indentation: the one that is open, or a new one. */
  #at(indent: number, number: number): Group {
    const left = this.#popDeeperThan(indent);
    if (left) this.#top.tally.absorb(left.tally, label(left.opener?.name ?? ''), false);
    if (this.#top.indent < indent) this.#push(group(indent), number);
    return this.#top;
  }

  #push(opened: Group, number: number): void {
    if (this.#groups.length > this.limits.maxDepth) throw new ReportFault(`has more than ${this.limits.maxDepth} subtests inside each other: ${asWritten}`, number);
    this.#groups.push(opened);
  }

  /** Closes what is deeper than an indentation, into the outermost group of it. */
  #popDeeperThan(indent: number): Group | undefined {
    let popped: Group | undefined;
    while (this.#top.indent > indent) {
      const outer = this.#groups.pop()!;
      if (popped) outer.tally.absorb(popped.tally, '', false);
      popped = outer;
    }
    return popped;
  }

  /** Counts the test point that came last, now that nothing more can follow of it. */
  #settle(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) this.#close(pending.test, pending.subtests, pending.diagnostics, pending.comments);
  }

  #close(test: TestLine, subtests: Group | undefined, diagnostics: Diagnostics | undefined, comments: string): void {
    const { tally } = this.#top;
    const good = test.ok || test.directive !== undefined;
    const isGroup = subtests !== undefined && subtests.tally.total > 0;
    if (isGroup) tally.absorb(subtests.tally, label(test.name), good);
    // Nothing is counted for a group whose tests tell all, and for an empty one.
    if (isGroup && (good || subtests.tally.bad > 0)) return;
    if (test.ok && test.directive === undefined && (subtests !== undefined || diagnostics?.suite === true)) return;
    const durationMs = isGroup ? undefined : diagnostics?.durationMs ?? test.durationMs;
    if (test.ok && test.directive === undefined) return tally.pass(durationMs);
    tally.add({
      kind: 'test', name: label(test.name) || `test ${this.#top.points}`, outcome: test.directive === undefined ? nodeOutcome(diagnostics?.failureType) ?? 'failed' : 'skipped',
      ...filled('file', diagnostics?.file), ...filled('line', diagnostics?.line), ...filled('message', message(test.reason || diagnostics?.message || comments || subtests?.skip || '')), ...filled('durationMs', durationMs),
    });
  }

  /** What a stream says of itself is held against what it had: one that was cut short must not look as if all were well. */
  #endStream(): void {
    this.#settle();
    const open = this.#popDeeperThan(0);
    const root = this.#top;
    if (open) root.tally.absorb(open.tally, label(open.opener?.name ?? ''), false);
    const wrong = this.#bailed ? undefined : faultOf(root, open !== undefined);
    if (wrong !== undefined && this.#seen) root.tally.add({ kind: 'test', name: 'the whole run', outcome: 'broken', message: wrong });
    if (root.planned === 0 && root.skip !== undefined && root.points === 0) root.tally.add({ kind: 'test', name: 'the whole run', outcome: 'skipped', ...filled('message', message(root.skip)) });
    this.#tally.absorb(root.tally, '', false);
    this.#groups = [group(0)];
    this.#bailed = false;
  }
}

const group = (indent: number): Group => ({ indent, tally: new TestTally(), points: 0, planned: undefined, skip: undefined, opener: undefined });

/** What is wrong with a stream that has ended. */
function faultOf({ planned, points }: Group, inSubtest: boolean): string | undefined {
  if (inSubtest) return 'the report ends inside a subtest, so its program was ended before its time';
  if (planned === undefined) return `the report ends after ${points} tests and without a plan, so its program was ended before its time`;
  return planned === points ? undefined : `${planned} tests were planned, and ${points} were reported`;
}
