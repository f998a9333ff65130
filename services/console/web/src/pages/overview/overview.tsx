import { Page } from '../../ui/page';
import { Builds, Failures } from './builds';
import { Capacity } from './capacity';
import { DeadLetters } from './dead-letters';
import { Figures } from './figures';
import { OutOfService } from './hosts';
import { Jobs } from './jobs';
import { Queue } from './queue';
import { Services } from './services';

/** The whole installation at a glance: what there is, what waits, what runs, and what is wrong. */
export default function Overview() {
  return (
    <Page title="Overview">
      <Figures />
      <div className="columns">
        <Queue />
        <Builds />
      </div>
      <Jobs />
      <Capacity />
      <div className="columns">
        <OutOfService />
        <Failures />
        <Services />
        <DeadLetters />
      </div>
    </Page>
  );
}
