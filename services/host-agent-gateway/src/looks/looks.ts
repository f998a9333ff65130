import { rejected, type Answer, type CommandData, type HostAccess } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import type { Grants } from '../domain/grants.js';
import { specOf, type Links } from '../links.js';
import { connect } from '../transports/connect.js';
import { HostError } from '../transports/errors.js';
import type { HostPool } from '../transports/pool.js';
import type { Transport } from '../transports/transport.js';
import { listFolders, removeFolders } from './folders.js';
import { probe } from './probe.js';

type Data<T extends 'ProbeHost' | 'ListFolders' | 'RemoveFolders'> = Command<CommandData<'host-agent-gateway', T>>;

/** What the allocator asks of a host without a lease. Nothing of it is recorded. */
export class Looks {
  /** by command: whoever asks again before it is answered, as the bus does every few seconds, waits for the same answer */
  private readonly underWay = new Map<string, Promise<Answer>>();

  constructor(
    private readonly grants: Pick<Grants, 'owned'>,
    private readonly links: Pick<Links, 'serving'>,
    private readonly pool: Pick<HostPool, 'connect'>,
  ) {}

  probe({ id, data: { host, check } }: Data<'ProbeHost'>): Promise<Answer> {
    return this.over(id, host, async (transport) => {
      const found = await probe(transport, check);
      const os = found.facts['os'];
      if (os !== host.platform && host.transport === 'ssh') {
        return rejected('machine-refused', `it runs ${os}, not ${host.platform}.`, [{ field: 'data.platform', message: `must be ${os}: that is what the machine says` }]);
      }
      return { accepted: true, id, data: { ...found } };
    });
  }

  list({ id, data: { host } }: Data<'ListFolders'>): Promise<Answer> {
    return this.over(id, host, async (transport) => ({ accepted: true, id, data: { copies: await listFolders(transport) } }));
  }

  remove({ id, data: { host, copies } }: Data<'RemoveFolders'>): Promise<Answer> {
    // What was nobody's when it was listed may be somebody's by now.
    const owned = copies.filter((copy) => this.grants.owned(copy));
    return this.over(id, host, async (transport) => {
      const { removed, failed } = await removeFolders(transport, copies.filter((copy) => !owned.includes(copy)));
      return { accepted: true, id, data: { removed, failed: [...failed, ...owned.map((copy) => ({ id: copy, error: 'it belongs to a lease or a resource that is alive' }))] } };
    });
  }

  private over(id: string, access: HostAccess, work: (transport: Transport) => Promise<Answer>): Promise<Answer> {
    const known = this.underWay.get(id);
    if (known) return known;
    const answer = this.look(access, work).finally(() => this.underWay.delete(id));
    this.underWay.set(id, answer);
    return answer;
  }

  /** A host in service has a connection; another one gets one for this alone. */
  private async look(access: HostAccess, work: (transport: Transport) => Promise<Answer>): Promise<Answer> {
    try {
      const serving = this.links.serving(access);
      if (serving) return await work(await this.pool.connect(serving));
      const transport = await connect(specOf({ name: access.address, access }));
      try {
        return await work(transport);
      } finally {
        await transport.close();
      }
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return refusalOf(error);
    }
  }
}

/** What a failed look means to whoever enrols the machine. */
function refusalOf(error: HostError): Answer {
  switch (error.code) {
    case 'host-key-changed':
      return rejected('host-key-changed', error.message, [{ field: 'data.hostKey', message: 'is not the key that the machine shows: check the machine, then give its present key' }]);
    case 'auth-failed':
      return rejected('machine-refused', error.message, [{ field: 'data.user', message: 'is not let in with this credential' }]);
    case 'credential-invalid':
      return rejected('machine-refused', error.message, [{ field: 'data.credential', message: "can't be used: give agent, file:PATH of a private key on the gateway, or env:NAME" }]);
    case 'host-fault':
      return rejected('machine-refused', error.message, [{ field: 'data.platform', message: 'may be another one: say windows for a Windows machine, and linux or mac for one with a POSIX shell' }]);
    default:
      return rejected('machine-unreachable', error.message, [{ field: 'data.address', message: 'does not answer: check address and port, and that the machine is up' }]);
  }
}
