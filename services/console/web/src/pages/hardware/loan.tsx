import type { HardwareView, LoanView } from '@berth/client';
import { press } from '../../api/commands';
import { Act } from '../../parts/act';
import { useHas } from '../../api/session';
import { JobLink, LeaseLink } from '../../parts/links';
import { Badge } from '../../ui/badge';
import { Facts, Section } from '../../ui/page';
import { Ago } from '../../ui/time';

/** For whom a machine is lent, and what a person does before it is theirs: one step after the other. */
export function Loan({ of: { name }, loan }: { of: HardwareView; loan: LoanView }) {
  const has = useHas('jobs:loan');
  const { job, to, status, steps, lease, requested, activated } = loan;
  const next = steps.findIndex(({ done }) => done === null);
  const tick = (step: number): void =>
    press({ key: `loan ${name} ${step}`, label: `Step ${step + 1} of the loan of ${name}`, path: `hardware/${encodeURIComponent(name)}/loan/steps/${step}`, body: {}, until: (event) => event.kind === 'hardware' && event.id === name && event.type === 'LoanStepDone' });
  return (
    <Section title="Loan" note={steps.length === 0 ? undefined : `${next < 0 ? steps.length : next} of ${steps.length} steps are done`}>
      <Facts
        of={[
          ['For', to],
          ['Status', <Badge status={status.toLowerCase()} />],
          ['Job', <JobLink id={job} />],
          ['Lease', lease !== null && <LeaseLink id={lease} />],
          ['Asked', <Ago at={requested} />],
          ['Theirs', activated !== null && <Ago at={activated} />],
        ]}
      />
      {steps.length > 0 && (
        <ol className="steps-list" aria-label="Steps of the loan">
          {steps.map(({ text, done, by }, i) => (
            <li key={i}>
              <span className="grow">{text}</span>
              {done !== null ? <span className="quiet">done by {by}, <Ago at={done} /></span> : i === next && has ? <Act small needs="jobs:loan" pending={`loan ${name} ${i}`} onPress={() => tick(i)} label={`Done: ${text}`}>Done</Act> : <span className="quiet">{i === next ? 'is next' : 'comes later'}</span>}
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}
