import type { TestFinding } from '@berth/contracts';
import { filled, label, message, milliseconds, place } from './clean.js';
import { ReportFault } from './fault.js';
import type { ReportLimits } from './limits.js';
import { nodeOutcome } from './node-failures.js';
import { TestTally } from './tally.js';
import { readXml, type Attributes, type XmlReader } from './xml.js';

export interface TestsRead {
  tally: TestTally;
  /** As the report says. */
  durationMs: number | undefined;
  /** It was written by Node's own test runner. */
  node: boolean;
}

interface Suite {
  name: string;
  file: string | undefined;
  durationMs: number | undefined;
  /** Tests and suites in it. */
  children: number;
  /** What its attributes say went wrong in it. */
  claimed: number;
}
interface Case {
  attributes: Attributes;
  outcome: TestFinding['outcome'] | undefined;
  /** Marked as yet to be done, as Node does. */
  todo: boolean;
  message: string;
}
/** An element inside of a test (or suite) whose text belongs to its message. */
interface Verdict {
  element: 'failure' | 'error' | 'skipped';
  attributes: Attributes;
  text: string;
}

/** More of a verdict's text is not kept than could be shown. */
const KEEP_TEXT = 4096;
const count = (text: string | undefined): number => place(text) ?? 0;

/** Reads JUnit XML: what Surefire, pytest, jest-junit, vitest, GoogleTest and Node's `--test-reporter=junit` write. @throws {ReportFault} */
export function readJunit(text: string, limits: ReportLimits): TestsRead {
  const reader = new JunitReader();
  readXml(text, limits, reader);
  return { tally: reader.tally, durationMs: reader.durationMs, node: reader.node };
}

class JunitReader implements XmlReader {
  readonly tally = new TestTally();
  durationMs: number | undefined;
  node = false;
  /** Elements that are open, by name. */
  readonly #open: string[] = [];
  readonly #suites: Suite[] = [];
  #case: Case | undefined;
  #verdict: Verdict | undefined;
  #rootSaysTime = false;

  open(element: string, attributes: Attributes, line: number): void {
    const parent = this.#open.at(-1);
    this.#open.push(element);
    if (parent === undefined) this.#root(element, attributes, line);
    if (element === 'testsuite' && !this.#case) this.#openSuite(attributes);
    else if (element === 'testcase' && !this.#case) this.#case = { attributes, outcome: undefined, todo: false, message: '' };
    else if ((element === 'failure' || element === 'error' || element === 'skipped') && (parent === 'testcase' || parent === 'testsuite')) this.#verdict = { element, attributes, text: '' };
  }

  text(text: string): void {
    const verdict = this.#verdict;
    if (verdict && verdict.text.length < KEEP_TEXT) verdict.text += text.slice(0, KEEP_TEXT);
  }

  close(element: string): void {
    this.#open.pop();
    const inside = this.#open.includes('testcase');
    if (this.#verdict?.element === element) this.#closeVerdict(this.#verdict);
    else if (element === 'testcase' && this.#case && !inside) this.#closeCase(this.#case);
    else if (element === 'testsuite' && !inside) this.#closeSuite();
  }

  /** Node writes its counts into comments, and is the only one that does. */
  comment(text: string): void {
    const duration = /^ duration_ms ([\d.]+) $/.exec(text.slice(0, 64))?.[1];
    if (duration === undefined) return;
    this.node = true;
    this.durationMs = milliseconds(duration, 1);
    this.#rootSaysTime = true;
  }

  #root(element: string, attributes: Attributes, line: number): void {
    if (element !== 'testsuites' && element !== 'testsuite') {
      throw new ReportFault(`has the root element <${element.slice(0, 80)}>, and JUnit XML has <testsuites> or <testsuite>: name the format that it has, or the file that is meant`, line);
    }
    if (element !== 'testsuites') return;
    this.durationMs = milliseconds(attributes['time'], 1000);
    this.#rootSaysTime = this.durationMs !== undefined;
  }

  #openSuite(attributes: Attributes): void {
    const parent = this.#suites.at(-1);
    if (parent) parent.children += 1;
    this.#suites.push({
      name: label(attributes['name'] ?? ''), file: attributes['file'] ?? attributes['filepath'] ?? parent?.file, durationMs: milliseconds(attributes['time'], 1000),
      children: 0, claimed: count(attributes['errors']) + count(attributes['failures']),
    });
  }

  #closeSuite(): void {
    const suite = this.#suites.pop();
    if (!suite) return;
    if (!this.#rootSaysTime && this.#suites.length === 0 && suite.durationMs !== undefined) this.durationMs = (this.durationMs ?? 0) + suite.durationMs;
    // Such a suite did not come as far as its tests.
    if (suite.children === 0 && suite.claimed > 0) this.#broken(suite, `says that ${suite.claimed} went wrong in it, and lists no test`);
  }

  #closeVerdict(verdict: Verdict): void {
    this.#verdict = undefined;
    const said = verdict.attributes['message'] ?? '';
    const body = verdict.text.trim();
    // Node writes message="true" where no reason was given.
    const reason = verdict.element === 'skipped' && said === 'true' ? '' : said;
    const text = message(verdict.element === 'skipped' ? reason || body : repeats(body, reason) ? body : `${reason}\n${body}`);
    const suite = this.#suites.at(-1);
    if (this.#case) judge(this.#case, verdict, text);
    else if (suite && verdict.element !== 'skipped') {
      suite.children += 1;
      this.#broken(suite, text);
    }
  }

  #broken(suite: Suite, text: string): void {
    const within = this.#suites.filter((one) => one !== suite).map((one) => one.name).join(' > ');
    this.tally.add({ kind: 'test', name: suite.name || 'suite', outcome: 'broken', ...filled('suite', label(within)), ...filled('file', label(suite.file ?? '')), ...filled('message', text) });
  }

  #closeCase(test: Case): void {
    this.#case = undefined;
    const suite = this.#suites.at(-1);
    if (suite) suite.children += 1;
    const { attributes } = test;
    const durationMs = milliseconds(attributes['time'], 1000);
    // GoogleTest and CTest write no element for what is disabled.
    const outcome = test.outcome ?? (/^(notrun|disabled|skipped)$/.test(attributes['status'] ?? '') ? 'skipped' : undefined);
    if (outcome === undefined) return this.tally.pass(durationMs);
    const name = label(attributes['name'] ?? '');
    this.tally.add({
      kind: 'test', name: name || 'test', outcome, ...filled('suite', this.#suiteOf(attributes['classname'] ?? '', name)), ...filled('file', label(attributes['file'] ?? suite?.file ?? '')),
      ...filled('line', this.#line(attributes['line'])), ...filled('message', test.message), ...filled('durationMs', durationMs),
    });
  }

  /** Nested suites name their groups themselves; in a flat file the class says more, unless it is the test's name again or the one word that Node writes. */
  #suiteOf(className: string, name: string): string {
    const path = label(this.#suites.map((suite) => suite.name).filter(Boolean).join(' > '));
    const said = label(className);
    return this.#suites.length > 1 || said === '' || said === name || said === 'test' ? path : said;
  }

  /** pytest counts lines from 0. */
  #line(text: string | undefined): number | undefined {
    return this.#suites[0]?.name === 'pytest' && text !== undefined ? place(count(text) + 1) : place(text);
  }
}

/** Does a text begin with its own message, if need be behind the name of an error and with other line breaks (which attributes cannot hold)? */
function repeats(body: string, reason: string): boolean {
  const flat = (text: string): string => text.replace(/\s+/g, ' ').trim();
  const said = flat(reason.slice(0, KEEP_TEXT));
  const begun = flat(body.slice(0, reason.length + 200));
  return begun.startsWith(said) || (/^[A-Z]/i.test(begun) && begun.slice(begun.indexOf(': ') + 2).startsWith(said));
}

/** A test may have several verdicts. One that failed counts more than one that was skipped, unless the test is marked as yet to be done. */
function judge(test: Case, { element, attributes }: Verdict, text: string): void {
  const todo = element === 'skipped' && attributes['type'] === 'todo';
  if (test.todo || (!todo && test.outcome !== undefined && (test.outcome !== 'skipped' || element === 'skipped'))) return;
  test.todo = todo;
  test.outcome = element === 'skipped' ? 'skipped' : element === 'error' ? 'broken' : nodeOutcome(attributes['type']) ?? 'failed';
  test.message = text;
}
