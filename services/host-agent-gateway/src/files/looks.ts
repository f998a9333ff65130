import { posix } from 'node:path';
import { rejected, type Answer, type CommandData, type Refusal } from '@berth/contracts';
import type { Command } from '@berth/runtime';
import type { Grants } from '../domain/grants.js';
import { specOf } from '../links.js';
import { HostError } from '../transports/errors.js';
import type { HostPool } from '../transports/pool.js';
import type { Entry, Transport } from '../transports/transport.js';
import { resolveEntry, resolveInside } from './resolve.js';

/** A folder with more than this is told in part: all of it would have to be sorted for each page. */
const MOST_ENTRIES = 20_000;

type Data<T extends 'ListFiles' | 'StatFile'> = Command<CommandData<'host-agent-gateway', T>>;

/** Looks into the folder of a lease. Nothing of it is recorded; what changes a file is an action. */
export class FileLooks {
  constructor(
    private readonly grants: Pick<Grants, 'check' | 'place'>,
    private readonly pool: Pick<HostPool, 'connect'>,
    private readonly reached: (position: number) => Promise<void>,
  ) {}

  list({ id, after: position, data: { lease, token, path, after, limit } }: Data<'ListFiles'>): Promise<Answer> {
    return this.look(position, lease, token, async ({ files }, root) => {
      const folder = await resolveInside(files, root, path).catch((error: unknown) => {
        // Under a host lease nothing was done yet: it has no folder, and a look makes none.
        if (path === '.' && error instanceof HostError && error.code === 'not-found') return undefined;
        throw error;
      });
      const there = folder === undefined ? [] : await entries(files, folder, path);
      const rest = there.filter(({ name }) => after === undefined || name > after);
      return { accepted: true, id, data: { items: rest.slice(0, limit).map(told), more: rest.length > limit } };
    });
  }

  stat({ id, after: position, data: { lease, token, path } }: Data<'StatFile'>): Promise<Answer> {
    return this.look(position, lease, token, async ({ files }, root) => {
      const { folder, name } = await resolveEntry(files, root, path);
      const at = `${folder}/${name}`;
      const stat = await files.lstat(at);
      return { accepted: true, id, data: { ...told({ name, stat }), ...(stat.kind === 'link' && { target: await files.readlink(at) }) } };
    });
  }

  private async look(position: number, lease: string, token: number, work: (transport: Transport, root: string) => Promise<Answer>): Promise<Answer> {
    await this.reached(position);
    const refusal = this.grants.check(lease, token, { kind: 'get-file' });
    if (refusal) return refusal;
    const { host, access, folder } = this.grants.place(lease);
    try {
      const transport = await this.pool.connect(specOf({ name: host.name, access }));
      return await work(transport, 'path' in folder ? folder.path : `${transport.folder}/copies/${folder.copy}`);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return refusalOf(error);
    }
  }
}

async function entries(files: Transport['files'], folder: string, path: string): Promise<Entry[]> {
  if ((await files.stat(folder)).kind !== 'folder') throw new HostError('file-failed', `'${path}' is not a folder.`);
  return files.list(folder, MOST_ENTRIES);
}

const told = ({ name, stat: { kind, size, mode, modified } }: Entry) => ({ name: posix.basename(name), kind, bytes: size, mode, modified: new Date(modified).toISOString() });

function refusalOf(error: HostError): Refusal {
  const at = (message: string) => [{ field: 'data.path', message }];
  switch (error.code) {
    case 'not-found':
      return rejected('not-found', 'There is nothing at this path in the folder of the lease.', at('names nothing that is there'));
    case 'path-outside':
      return rejected('path-outside', error.message, at('must stay inside the folder of the lease'));
    case 'permission-denied':
    case 'file-failed':
    case 'already-exists':
    case 'invalid-value':
      return rejected('machine-refused', error.message, at(error.message));
    default:
      return rejected('machine-unreachable', error.message, [{ field: 'data.lease', message: 'stands on a host that does not answer: try again' }]);
  }
}
