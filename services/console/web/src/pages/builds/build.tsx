import '../../graph/graph.css';
import './builds.css';
import type { BuildView } from '@berth/client';
import { Link, useParams } from 'wouter';
import { useRead } from '../../api/read';
import { Log } from '../../log/log';
import { BuildLink } from '../../parts/links';
import { isOver } from '../../parts/over';
import { Badge } from '../../ui/badge';
import { Empty, Loaded } from '../../ui/empty';
import { Page } from '../../ui/page';
import { short } from '../../words/text';
import { Artifacts } from './artifacts';
import { Controls } from './controls';
import { Generations } from './generations';
import { BuildHistory } from './history';
import { Overview } from './overview';
import { PlanLink } from './plan-link';
import { Progress, Remaining, Took } from './progress';
import { Reports } from './reports';
import { Tabs, tabs, type Tab } from './tabs';

/** One build: what it does, what it did, and what can be done about it. */
export default function Build() {
  const { id = '', tab = '' } = useParams<{ id: string; tab?: string }>();
  const read = useRead<BuildView>(`builds/${id}`);
  const known = tabs.find((one) => one === tab);
  if (known === undefined) return <Page title="Not found"><Empty>A build has no such page.</Empty></Page>;
  return (
    <Page title={read.data?.id === id ? `${read.data.plan} ${short(id)}` : `Build ${short(id)}`} trail={<Link href="/builds">Builds</Link>} fill={known === 'log'} actions={read.data && <Controls build={read.data} />}>
      <Loaded read={read}>
        {(build) => (
          <>
            <Now build={build} />
            <Tabs build={build} tab={known} />
            <Part build={build} tab={known} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Now({ build }: { build: BuildView }) {
  const { status, activity, plan, planVersion, ref, commit, parent, generation } = build;
  return (
    <div className="now">
      <Badge status={status} />
      <Progress build={build} />
      <span role="status">{activity}</span>
      {!isOver(status) && <Remaining build={build} />}
      <span className="quiet">
        <Took build={build} /> · <PlanLink name={plan} /> version {planVersion}
        {ref !== null && ` · ${ref}`}
        {commit !== null && <> · <span className="mono" title={commit}>{commit.slice(0, 12)}</span></>}
        {generation > 1 && ` · generation ${generation}`}
        {parent && <> · called by step {parent.step} of <BuildLink id={parent.build} /></>}
      </span>
    </div>
  );
}

function Part({ build, tab }: { build: BuildView; tab: Tab }) {
  switch (tab) {
    case '':
      return <Overview build={build} />;
    case 'log':
      return <Log build={build} />;
    case 'tests':
      return <Reports build={build} />;
    case 'artifacts':
      return <Artifacts build={build} />;
    case 'generations':
      return <Generations build={build} />;
    case 'history':
      return <BuildHistory id={build.id} />;
  }
}
