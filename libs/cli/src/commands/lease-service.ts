import type { Command } from 'commander';
import { leaf, type Context } from '../context.js';
import { Failure } from '../failure.js';

/** A leased service: `berth lease service restart|stop|uri` */
export function serviceOfLeaseCommands(lease: Command, context: Context): void {
  const service = lease.command('service').description('the service of a lease');
  leaf(service, 'restart <id>', 'stop it and start it again, with the commands of its blueprint').action((id: string) => change(context, id, 'restart'));
  leaf(service, 'stop <id>', 'stop it; its lease and its port stay').action((id: string) => change(context, id, 'stop'));
  leaf(service, 'uri <id>', 'where it is').action(async (id: string) => {
    const { type, uri, port, status } = await context.berth.leases.get(id);
    if (type !== 'service') throw new Failure('invalid-data', `The lease is of a ${type}: it has no service.`);
    if (uri === null) throw new Failure('not-found', status === 'active' ? `Its blueprint says no uri${port === null ? '' : `; its port on the host is ${port}`}.` : `The lease is ${status}: its service is not there.`);
    context.result({ uri, port }, () => uri);
  });
}

async function change(context: Context, lease: string, verb: 'restart' | 'stop'): Promise<void> {
  const { berth, io, json } = context;
  const { id } = await berth.leases.service(lease, verb);
  // What its commands print is no result of ours.
  for await (const bytes of berth.actions.log(id, { follow: true })) if (!json) io.stderr.write(bytes);
  const action = await berth.actions.get(id);
  if (action.status !== 'succeeded') throw new Failure(action.code ?? action.status, `The service was not ${verb === 'stop' ? 'stopped' : 'restarted'}: ${action.error ?? action.status}.`);
  context.result(action, () => (verb === 'stop' ? 'The service is stopped.' : 'The service is started again.'));
}
