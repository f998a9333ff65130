import type { JobTaskView, JobView, Page as PageOf } from '@berth/client';
import { useRead } from '../../api/read';
import { Filters, SelectFilter, TextFilter } from '../../ui/filters';
import { useList } from '../../ui/list';
import { Page } from '../../ui/page';
import { useParam } from '../../ui/params';
import { Table } from '../../ui/table';
import { columns } from './columns';
import { LIVE } from './status';

const groups = [[LIVE, 'live'], ['COMPLETE', 'complete'], ['FAILED', 'failed'], ['CANCELLED', 'cancelled'], ['all', 'all']] as const;

/** All hardware jobs, those that have not ended unless asked otherwise. */
export default function Jobs() {
  const [status, setStatus] = useParam('status', LIVE);
  const [task] = useParam('task');
  const [machine] = useParam('machine');
  const list = useList<JobView>('jobs', '-created', { status: status === 'all' ? undefined : status, task, machine });
  const tasks = useRead<PageOf<JobTaskView>>('job-tasks').data?.items ?? [];
  return (
    <Page title="Jobs" fill>
      <Filters>
        <div className="field">
          <span className="label" id="job-status">Status</span>
          <div className="choices" role="group" aria-labelledby="job-status">
            {groups.map(([value, text]) => <button key={value} type="button" className="button" aria-pressed={status === value} onClick={() => setStatus(value)}>{text}</button>)}
          </div>
        </div>
        <SelectFilter name="task" label="Task" options={tasks.map(({ task: value, title }) => [value, title] as const)} />
        <TextFilter name="machine" label="Machine" />
      </Filters>
      <Table label="Jobs" least={980} columns={columns} {...list} rowKey={({ id }) => id} empty={status === LIVE ? 'Nothing is being done with a machine.' : 'No job is like that.'} />
    </Page>
  );
}
