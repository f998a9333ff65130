import { InvalidArgumentError, type Command } from 'commander';
import type { JobTaskView } from '@berth/client';
import { leaf, type Context } from '../context.js';

const NOTES = `
What is printed is what \`declareProvisioner\` of the queue of Taskcluster takes, and what dashboards show as buttons at a worker:
\`<workerId>\` and the like stay as they are, the dashboard fills them in. It is printed and not sent: newer Taskcluster accepts
such a request and keeps no actions. Where a deployment keeps them:

  berth actions register --url https://berth.example | taskcluster api queue declareProvisioner releng-hardware

A button works for whoever has the scope \`berth:jobs:TASK\` there, with BERTH_TASKCLUSTER_ROOT set here.`;

/** An action as the queue of Taskcluster describes it: its fields, and no others. */
interface Action {
  name: string;
  title: string;
  context: 'worker';
  url: string;
  method: 'POST';
  description: string;
}

/** `berth actions register` */
export function actionsCommands(program: Command, context: Context): void {
  const actions = program.command('actions').description('buttons for hardware jobs in dashboards of continuous integration');
  leaf(actions, 'register', 'print the action definitions of the published tasks, for Taskcluster')
    .option('--url <address>', 'where dashboards reach Berth (default: where this command does)', address)
    .option('--parts', "say the worker's group, type and provisioner too: for workers whose id is not enough")
    .addHelpText('after', NOTES)
    .action(async ({ url = context.berth.access.url, parts = false }: { url?: string; parts?: boolean }) => {
      const { items } = await context.berth.jobs.tasks();
      const document = { actions: items.filter(({ published }) => published).map((task) => actionOf(task, url.replace(/\/+$/, ''), parts)) };
      context.result(document, () => JSON.stringify(document, null, 2));
    });
}

function actionOf({ task, title, description }: JobTaskView, base: string, parts: boolean): Action {
  // The placeholders are replaced as text by whoever shows the button: encoded they would not be found.
  const url = parts
    ? `${base}/api/v1/workers/<workerId>/jobs?task_name=${task}&worker_group=<workerGroup>&worker_type=<workerType>&provisioner_id=<provisionerId>`
    : `${base}/api/v1/jobs?tc_worker_id=<workerId>&task_name=${task}`;
  return { name: task, title, context: 'worker', url, method: 'POST', description };
}

function address(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') throw new InvalidArgumentError('Use an address such as https://berth.example.');
  return text;
}
