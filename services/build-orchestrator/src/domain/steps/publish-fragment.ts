import { stepSchemas } from '@berth/contracts';
import { ownFaults, pathsOf, withOf, type HostKind, type ReportSummary } from './kind.js';
import { artifactNameOf, prefixOf } from './upload-artifact.js';

/** Findings that are stored with the build; the files themselves are artifacts. */
const MAX_FINDINGS = 50;

/** `uses: publish-fragment`: reads reports of tests or analysis; they are kept as artifacts too. */
export const publishFragment: HostKind = {
  on: 'host',
  schema: stepSchemas['publish-fragment'],
  written: '`uses: publish-fragment` with `path` and, if it is not to be found out, `format`: junit, tap, node-test, sarif or checkstyle',
  action(context) {
    const { path, format = 'auto', name = 'reports', whenNone = 'fail' } = withOf<'publish-fragment'>(context);
    const found = pathsOf(path, context, 'path');
    if ('fault' in found) return found;
    const folder = artifactNameOf(name, context);
    if ('fault' in folder) return folder;
    return { spec: { kind: 'read-report', paths: found.paths, format, prefix: prefixOf(context), name: folder.name, whenNone } };
  },
  verdict(ended, context) {
    const { report, artifacts = [] } = ended.result;
    if (ended.how === 'failed') return ownFaults.has(ended.code) ? { outcome: 'failed', error: ended.error } : undefined;
    if (report === undefined) return { outcome: 'passed', artifacts };
    const summary = summaryOf(report);
    const kept = artifacts.map((artifact) => ({ ...artifact, type: summary.lint ? ('lint' as const) : ('tests' as const) }));
    const error = faultOf(summary, withOf<'publish-fragment'>(context).failOn ?? 'errors');
    return error === undefined ? { outcome: 'passed', artifacts: kept, report: summary } : { outcome: 'failed', error, artifacts: kept, report: summary };
  },
};

function summaryOf(report: Record<string, unknown>): ReportSummary {
  const { format, tests, lint, findings } = report as unknown as ReportSummary;
  return { format, ...(tests && { tests }), ...(lint && { lint }), findings: findings.slice(0, MAX_FINDINGS) };
}

/** Why what a report says makes the step fail. */
function faultOf({ tests, lint, findings }: ReportSummary, failOn: 'errors' | 'warnings' | 'never'): string | undefined {
  if (failOn === 'never') return undefined;
  const bad = (tests ? tests.failed + tests.broken : 0) + (lint?.errors ?? 0) + (failOn === 'warnings' ? (lint?.warnings ?? 0) : 0);
  if (bad === 0) return undefined;
  const [first] = findings;
  const example = first === undefined ? '' : `, the first: ${[first['suite'] ?? first['file'], first['name'] ?? first['message']].filter((part) => typeof part === 'string').join(': ')}`;
  return `${tests ? `${bad} of ${tests.total} tests failed` : `${bad} ${bad === 1 ? 'finding' : 'findings'}`}${example}`.slice(0, 512);
}
