import type { HardwareView, JobTaskView, Permission } from '@berth/client';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { Act } from '../../parts/act';
import { JobLink } from '../../parts/links';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { offersOf } from './offers';
import { useGroups, useTasks } from './reads';

/** In a list there is room for these; the others are on the page of the machine. */
const FEW: readonly string[] = ['ping', 'status', 'reboot'];

/** Buttons for what can be done with a machine: what whoever looks may, what is published, and what the machine has the means for. */
export function AskButtons({ machine, few = false }: { machine: HardwareView; few?: boolean }) {
  const tasks = useTasks();
  const groups = useGroups();
  const [asking, setAsking] = useState<JobTaskView>();
  if (!tasks.data || !groups.data) return null;
  const { offered } = offersOf(tasks.data.items, machine, groups.data.items);
  return (
    <>
      {offered.filter(({ task }) => !few || FEW.includes(task)).map((task) => (
        <Act key={task.task} needs={task.permission as Permission} pending={keyOf(machine, task)} small={few} label={few ? `${task.title} ${machine.name}` : task.title} onPress={() => setAsking(task)} {...(task.effect === 'power' && { tone: 'danger' as const })}>
          {task.title}
        </Act>
      ))}
      {asking && <AskDialog machine={machine} task={asking} onClose={() => setAsking(undefined)} />}
    </>
  );
}

const keyOf = ({ name }: HardwareView, { task }: JobTaskView): string => `job ${task} ${name}`;

/** Asks for a job and leads to it. What cuts off what runs is confirmed on purpose. */
function AskDialog({ machine, task, onClose }: { machine: HardwareView; task: JobTaskView; onClose: () => void }) {
  const { name, enrolled } = machine;
  const [reason, setReason] = useState('');
  const [to, setTo] = useState('');
  const [force, setForce] = useState(false);
  const [confirmed, setConfirmed] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [, go] = useLocation();
  const said = problem instanceof ProblemError ? problem : undefined;
  const live = said?.errors.find(({ field }) => field === 'task_id')?.message;
  const isPower = task.effect === 'power';
  // What only looks takes the machine from nobody.
  const takes = task.effect !== 'looks' && enrolled;
  const confirm = async (): Promise<void> => {
    if (isPower && !confirmed) throw new ProblemError(0, 'not-confirmed', 'Confirm first that what runs on it may be cut off.');
    const body = { task: task.task, ...(takes && force && { force }), ...(reason !== '' && { reason }), ...(task.task === 'loan' && to !== '' && { to }) };
    const { id } = await run<{ id: string }>({ key: keyOf(machine, task), label: `${task.title}: ${name}`, path: `machines/${encodeURIComponent(name)}/jobs`, body }, { quiet: true });
    go(`/jobs/${id}`);
  };
  return (
    <Dialog title={`${task.title}: ${name}`} action={task.title} danger={isPower} onConfirm={confirm} onClose={onClose} known={['reason', 'to', 'task_id']} onProblem={setProblem}>
      <p>{task.description}{takes && ' It waits for the work on the machine, and nothing else begins there meanwhile.'}</p>
      {task.task === 'loan' && <TextField label="For whom" value={to} onValue={setTo} hint="you, when it is left out" error={said?.of('to')} />}
      <TextField label="Why (if you like)" value={reason} onValue={setReason} hint="kept in its history" error={said?.of('reason')} />
      {takes && <label className="row"><input type="checkbox" checked={force} onChange={(event) => setForce(event.target.checked)} /> <span>By force: the work on it is ended, and builds begin again on another host</span></label>}
      {isPower && <label className="row"><input type="checkbox" checked={confirmed} onChange={(event) => setConfirmed(event.target.checked)} /> <span>What runs on {name} may be cut off</span></label>}
      {live !== undefined && <p>It is under way: <JobLink id={live} /></p>}
    </Dialog>
  );
}
