import type { BuildView, GenerationView } from '@berth/client';
import { useQueries } from '@tanstack/react-query';
import type { ProblemError } from '../../api/problem';
import { keyOf } from '../../api/read';
import { ask } from '../../api/request';
import { Badge } from '../../ui/badge';
import { Section } from '../../ui/page';
import { useParam } from '../../ui/params';
import { running, Since, stamp } from '../../ui/time';
import { Outcome, StepTook } from './outcome';

/** More beside each other nobody compares. */
const BESIDE = 4;

/** The runs of a build side by side: what each step came to in each. */
export function Generations({ build }: { build: BuildView }) {
  const [from, setFrom] = useParam('from');
  const all = build.generations;
  const first = from === '' ? Math.max(0, all.length - BESIDE) : Math.max(0, all.findIndex(({ generation }) => generation === Number(from)));
  const shown = all.slice(first, first + BESIDE);
  const reads = useQueries({
    queries: shown.map(({ generation }) => {
      const [path, query] = [`builds/${build.id}`, { generation }];
      return {
        queryKey: keyOf(path, query),
        queryFn: ({ signal }: { signal: AbortSignal }) => ask<BuildView>(path, { query, signal }),
        retry: false,
      };
    }),
  }) as readonly { data: BuildView | undefined; error: ProblemError | null }[];
  // A console that keeps no more than the present one answers with that.
  const views = shown.map(({ generation }, i) => (generation === build.generation ? build : reads[i]!.data?.generation === generation ? reads[i]!.data : undefined));
  const nextOf = ({ generation }: GenerationView) => all.find((one) => one.generation === generation + 1);
  const ids = [...new Map(views.flatMap((view) => view?.steps.map(({ id, name }) => [id, name] as const) ?? []))];
  return (
    <Section
      title="Generations"
      note={`${shown.length} of ${all.length}, the newest on the right`}
      actions={all.length > BESIDE && (
        <>
          <button type="button" className="button small" disabled={first === 0} onClick={() => setFrom(String(all[first - 1]!.generation))}>Earlier</button>
          <button type="button" className="button small" disabled={first + BESIDE >= all.length} onClick={() => setFrom(String(all[first + 1]!.generation))}>Later</button>
        </>
      )}
    >
      <div className="table-box loose" tabIndex={0} role="group" aria-label="Generations, table">
        <table className="table" aria-label="Generations">
          <thead><tr><th scope="col">Step</th>{shown.map(({ generation }) => <th key={generation} scope="col">Generation {generation}{generation === build.generation && ', the present one'}</th>)}</tr></thead>
          <tbody>
            <tr><th scope="row">Verdict</th>{shown.map((one) => <td key={one.generation}><Verdict of={one} next={nextOf(one)} /></td>)}</tr>
            <tr><th scope="row">Began</th>{shown.map(({ generation, started }) => <td key={generation}><time dateTime={started}>{stamp(started)}</time></td>)}</tr>
            <tr><th scope="row">Took</th>{shown.map((one) => <td key={one.generation}><GenerationTook of={one} next={nextOf(one)} /></td>)}</tr>
            {ids.map(([id, name]) => (
              <tr key={id}>
                <th scope="row">{name}</th>
                {views.map((view, i) => {
                  const step = view?.steps.find((one) => one.id === id);
                  return <td key={shown[i]!.generation}>{step ? <><Outcome step={step} /> <span className="quiet"><StepTook step={step} />{step.exitCode !== null && step.exitCode !== 0 && `, exit code ${step.exitCode}`}</span></> : <span className="quiet">{view ? 'not in its plan' : 'not known any more'}</span>}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

/** One that was under way when the next one began has no verdict. */
function Verdict({ of: { status, ended, error }, next }: { of: GenerationView; next: GenerationView | undefined }) {
  if (ended === null && next) return <Badge status="restarted">begun anew</Badge>;
  return <><Badge status={status} />{error !== null && <> <span className="text-bad">{error}</span></>}</>;
}

function GenerationTook({ of: { started, ended }, next }: { of: GenerationView; next: GenerationView | undefined }) {
  const end = ended ?? next?.started;
  return end === undefined ? <Since at={started} /> : <>{running(Date.parse(end) - Date.parse(started))}</>;
}
