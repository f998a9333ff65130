import type { BuildView, ReportView, StepView } from '@berth/client';
import type { Finding } from '@berth/contracts';
import { Empty } from '../../ui/empty';
import { Facts, Section } from '../../ui/page';
import { running } from '../../ui/time';
import { count } from '../../words/text';

const order = ['failed', 'error', 'broken', 'warning', 'note', 'skipped'];
const rank = (finding: Finding): number => order.indexOf(finding.kind === 'test' ? finding.outcome : finding.severity);
const tones: Readonly<Record<string, string>> = { failed: 'bad', error: 'bad', broken: 'bad', warning: 'wait' };

/** What reports of tests and analysis say, failures first. */
export function Reports({ build }: { build: BuildView }) {
  const told = build.steps.filter((step): step is StepView & { report: ReportView } => step.report !== null);
  if (told.length === 0) return <Empty>No step has published a report: a step <code>uses: publish-fragment</code> reads those of tests and analysis.</Empty>;
  return <>{told.map((step) => <Report key={step.id} step={step} />)}</>;
}

function Report({ step: { name, report } }: { step: StepView & { report: ReportView } }) {
  const { tests, lint, format } = report;
  const findings = ([...report.findings] as unknown as Finding[]).sort((a, b) => rank(a) - rank(b));
  return (
    <Section title={name} note={`${format}, ${tests ? count(tests.total, 'test') : lint ? count(lint.errors + lint.warnings + lint.notes, 'remark') : 'nothing counted'}`}>
      {tests && (
        <>
          <div className="bar" aria-hidden>
            {([['failed', 'bad'], ['broken', 'bad'], ['skipped', 'off'], ['passed', 'good']] as const).map(([key, tone]) => tests[key] > 0 && <span key={key} className={tone} style={{ flex: tests[key] }} />)}
          </div>
          <Facts of={[['Failed', <span className={tests.failed > 0 ? 'text-bad' : ''}>{tests.failed}</span>], ['Broken', tests.broken > 0 && <span className="text-bad">{tests.broken}</span>], ['Skipped', tests.skipped], ['Passed', <span className="text-good">{tests.passed}</span>]]} />
        </>
      )}
      {lint && <Facts of={[['Errors', <span className={lint.errors > 0 ? 'text-bad' : ''}>{lint.errors}</span>], ['Warnings', lint.warnings], ['Notes', lint.notes]]} />}
      {findings.length > 0 && <ul className="findings" aria-label={`Findings of ${name}`}>{findings.map((finding, i) => <OneFinding key={i} of={finding} />)}</ul>}
    </Section>
  );
}

const place = ({ file, line }: Finding): string => (file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}`);

function OneFinding({ of }: { of: Finding }) {
  const word = of.kind === 'test' ? of.outcome : of.severity;
  const tone = tones[word] ?? '';
  return (
    <li className={`finding ${tone}`}>
      <span className={tone === '' ? 'quiet' : `text-${tone}`}>{word}</span>{' '}
      {of.kind === 'test' ? <><strong>{of.name}</strong>{of.suite !== undefined && <span className="quiet"> {of.suite}</span>}{of.durationMs !== undefined && <span className="quiet">, {running(of.durationMs)}</span>}</> : <>{of.message}{of.code !== undefined && <code className="quiet"> {of.code}</code>}</>}
      {place(of) !== '' && <div className="mono quiet">{place(of)}</div>}
      {of.kind === 'test' && of.message !== undefined && <pre>{of.message}</pre>}
    </li>
  );
}
