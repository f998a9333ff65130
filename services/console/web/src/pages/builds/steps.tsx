import type { BuildView, StepView } from '@berth/client';
import { Link } from 'wouter';
import { onHost } from '../../log/sections';
import { Table, type Column } from '../../ui/table';
import { stamp } from '../../ui/time';
import { Outcome, StepTook } from './outcome';
import { Rerun } from './step';

function results({ outputs, report }: StepView): string {
  const counts = report?.tests ? [`${report.tests.passed} of ${report.tests.total} tests passed`] : report?.lint ? [`${report.lint.errors} errors, ${report.lint.warnings} warnings`] : [];
  return [...counts, ...Object.entries(outputs ?? {}).map(([name, value]) => `${name}=${value}`)].join(', ');
}

/** The steps of a build as a table: all that the graph shows, in words. */
export function Steps({ build, chosen, onChoose }: { build: BuildView; chosen: string; onChoose: (id: string | undefined) => void }) {
  const columns: readonly Column<StepView>[] = [
    {
      id: 'name', head: 'Step', width: '18%',
      cell: ({ id, name }) => <button type="button" className="as-link" aria-pressed={id === chosen} title={name} onClick={() => onChoose(id === chosen ? undefined : id)}>{name}</button>,
    },
    { id: 'outcome', head: 'Outcome', width: '170px', cell: (step) => <Outcome step={step} /> },
    { id: 'needs', head: 'Needs', width: '12%', cell: ({ needs }) => { const names = needs.map((need) => build.steps[need]?.name).join(', '); return <span className="quiet" title={names}>{names}</span>; } },
    { id: 'tries', head: 'Tries', width: '54px', number: true, cell: ({ tries }) => tries || '' },
    { id: 'started', head: 'Began', width: '78px', number: true, cell: ({ started }) => started !== null && <time dateTime={started} title={stamp(started)}>{stamp(started).slice(11)}</time> },
    { id: 'took', head: 'Took', width: '86px', number: true, cell: (step) => <StepTook step={step} /> },
    { id: 'exit', head: 'Exit', width: '46px', number: true, cell: ({ exitCode }) => exitCode },
    { id: 'results', head: 'Error or results', cell: (step) => (step.error === null ? <span title={results(step)}>{results(step)}</span> : <span className="text-bad" title={step.error}>{step.error}</span>) },
    { id: 'log', head: '', width: '112px', cell: (step) => <>{onHost(step) && step.action !== null && <Link href={`/builds/${build.id}/log?step=${encodeURIComponent(step.name)}`} className="button small" aria-label={`Log of ${step.name}`}>Log</Link>} <Rerun build={build} step={step} small /></> },
  ];
  return <Table label="Steps" least={930} columns={columns} rows={build.steps} rowKey={({ id }) => id} empty="The plan has no steps." sortParam="steps" />;
}
