import { QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Route, Switch } from 'wouter';
import { queries } from './api/read';
import { useSession } from './api/session';
import { sections } from './pages/sections';
import { Login } from './shell/login';
import { Shell } from './shell/shell';
import { Fault } from './shell/fault';
import { Empty } from './ui/empty';
import { Page } from './ui/page';
import { ProblemBox } from './ui/problem';

const routes = sections.flatMap((section) => Object.entries(section.routes));

/** The whole dashboard. `asked` gives what was wrong when it was asked who is signed in, if anything was. */
export function App({ asked }: { asked: Promise<unknown> }) {
  const session = useSession();
  const [problem, setProblem] = useState<unknown>();
  useEffect(() => {
    void asked.then(setProblem);
  }, [asked]);
  // What one person has read is not shown to the next.
  useEffect(() => {
    if (session.status === 'out') queries.clear();
  }, [session.status]);
  switch (session.status) {
    case 'unknown':
      return problem === undefined ? null : <main className="login"><div className="stack"><ProblemBox error={problem} /><button className="button" onClick={() => location.reload()}>Try again</button></div></main>;
    case 'out':
      return <Login why={session.why} />;
    case 'in':
      return (
        <QueryClientProvider client={queries}>
          <Shell>
            <Fault>
              <Switch>
                {routes.map(([path, Component]) => <Route key={path} path={path}><Component /></Route>)}
                <Route><Page title="Not found"><Empty>There is no such page.</Empty></Page></Route>
              </Switch>
            </Fault>
          </Shell>
        </QueryClientProvider>
      );
  }
}
