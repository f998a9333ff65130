import type { CommandData } from '@berth/contracts';
import { platformOf } from '../platforms/platform.js';
import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import { checkHost, type Checked } from './check.js';
import { within } from './within.js';

/** For all facts together: each tool has 2 s, and one that escaped its own end must not hold up an answer. */
const FACTS_MS = 15_000;

export interface Found {
  hostKey: string;
  facts: Record<string, string>;
  check?: Checked;
}

/**
 * Asks a host what it is and has, and whether it is fit.
 * @throws HostError when the connection is lost, or the host isn't a system of its platform
 */
export async function probe(transport: Transport, check: CommandData<'host-agent-gateway', 'ProbeHost'>['check']): Promise<Found> {
  const facts = await factsOf(transport);
  return { hostKey: transport.hostKey ?? '', facts, ...(check && { check: await checkHost(transport, check) }) };
}

async function factsOf(transport: Transport): Promise<Record<string, string>> {
  const { id } = transport.host;
  const platform = platformOf(transport.host);
  const { code, stdout, stderr } = await within(FACTS_MS, platform.run(transport, platform.facts(transport.folder)), () => new HostError('host-fault', `Host ${id} did not say within ${FACTS_MS / 1000} s what it has.`));
  const facts = Object.fromEntries(
    stdout
      .toString('utf8')
      .split('\n')
      .flatMap((line) => {
        const [, name, value] = /^([A-Za-z]\w*)=(\S{1,256})$/.exec(line) ?? [];
        return name !== undefined && value !== undefined ? [[name, value] as const] : [];
      }),
  );
  if (code !== 0 || !facts['os']) throw new HostError('host-fault', `Host ${id} did not answer as a ${transport.host.platform === 'windows' ? 'Windows' : 'POSIX'} system does (exit code ${code}${stderr.length ? `: ${stderr.toString('utf8').trim()}` : ''}).`);
  return facts;
}
