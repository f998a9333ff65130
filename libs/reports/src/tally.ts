import type { Finding, KnownReportFormat, LintFinding, Report, TestFinding } from '@berth/contracts';
import { reportBounds } from '@berth/contracts/report-bounds';
import { filled, label, rounded } from './clean.js';

const ranks: Readonly<Record<TestFinding['outcome'] | LintFinding['severity'], 0 | 1 | 2>> = { broken: 0, failed: 0, error: 0, warning: 1, skipped: 2, note: 2 };

/** Findings, the worst first and of each rank the earliest. Keeps no more than a report may have. */
export class Kept<F extends Finding> {
  readonly #byRank: [F[], F[], F[]] = [[], [], []];

  add(finding: F): void {
    const rank = this.#byRank[ranks[finding.kind === 'test' ? finding.outcome : finding.severity]];
    if (rank.length < reportBounds.findings) rank.push(finding);
  }

  all(): F[] {
    return this.#byRank.flat().slice(0, reportBounds.findings);
  }
}

/** Tests as they are counted, of a file or of a group in it. */
export class TestTally {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #broken = 0;
  #summedMs: number | undefined;
  #kept = new Kept<TestFinding>();

  get total(): number {
    return this.#passed + this.#failed + this.#skipped + this.#broken;
  }

  get bad(): number {
    return this.#failed + this.#broken;
  }

  pass(durationMs: number | undefined): void {
    this.#passed += 1;
    this.#took(durationMs);
  }

  add(finding: TestFinding): void {
    switch (finding.outcome) {
      case 'failed':
        this.#failed += 1;
        break;
      case 'broken':
        this.#broken += 1;
        break;
      case 'skipped':
        this.#skipped += 1;
        break;
    }
    this.#took(finding.durationMs);
    this.#kept.add(finding);
  }

  /** Takes over what is in a group, which may have no name. `excused`: the group was not to count, so nothing in it failed. */
  absorb(group: TestTally, name: string, excused: boolean): void {
    this.#passed += group.#passed;
    this.#failed += excused ? 0 : group.#failed;
    this.#broken += excused ? 0 : group.#broken;
    this.#skipped += group.#skipped + (excused ? group.bad : 0);
    this.#took(group.#summedMs);
    for (const finding of group.#kept.all()) {
      const suite = label([name, finding.suite ?? ''].filter(Boolean).join(' > '));
      this.#kept.add({ ...finding, ...filled('suite', suite), outcome: excused ? 'skipped' : finding.outcome });
    }
  }

  /** @param durationMs what the report itself says it took; otherwise the sum over its tests */
  report(format: KnownReportFormat, durationMs: number | undefined): Report {
    const findings = this.#kept.all();
    const took = durationMs ?? this.#summedMs;
    const tests = {
      total: this.total, passed: this.#passed, failed: this.#failed, skipped: this.#skipped, broken: this.#broken,
      ...(took === undefined ? {} : { durationMs: rounded(took) }),
    };
    return { format, kind: 'tests', tests, findings, more: this.total - this.#passed - findings.length };
  }

  #took(durationMs: number | undefined): void {
    if (durationMs !== undefined) this.#summedMs = (this.#summedMs ?? 0) + durationMs;
  }
}

/** Remarks of a static analysis as they are counted. */
export class LintTally {
  #errors = 0;
  #warnings = 0;
  #notes = 0;
  readonly #kept = new Kept<LintFinding>();

  add(finding: LintFinding): void {
    switch (finding.severity) {
      case 'error':
        this.#errors += 1;
        break;
      case 'warning':
        this.#warnings += 1;
        break;
      case 'note':
        this.#notes += 1;
        break;
    }
    this.#kept.add(finding);
  }

  report(format: KnownReportFormat): Report {
    const findings = this.#kept.all();
    const lint = { errors: this.#errors, warnings: this.#warnings, notes: this.#notes };
    return { format, kind: 'lint', lint, findings, more: lint.errors + lint.warnings + lint.notes - findings.length };
  }
}
