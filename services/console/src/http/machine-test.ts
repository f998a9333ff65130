import { createHash } from 'node:crypto';
import type { MachineTest } from '@berth/client';
import { fieldErrors, machineSpec, summary, type HostAccess } from '@berth/contracts';
import type { Commands } from './commands.js';
import { HttpProblem } from './problem.js';

/** As long as the gateway itself gives a host that is slow to answer. */
const PATIENCE_MS = 20_000;
const unnamed = machineSpec.omit({ name: true });

/**
 * Looks at a machine as enrolling it would, and keeps nothing: whether it lets Berth in, what it is, and the key it shows, for
 * a person to compare before it is trusted.
 *
 * @param body what would enrol it, with or without a name
 * @throws {HttpProblem} it is not let in, or the fields are no machine
 */
export async function testMachine(commands: Commands, body: Record<string, unknown>, id: string): Promise<MachineTest> {
  const { name: _name, ...rest } = body;
  const parsed = unnamed.safeParse(rest);
  if (!parsed.success) {
    const errors = fieldErrors(parsed.error);
    throw new HttpProblem('invalid-data', `The machine is refused: ${summary(errors)}`, errors);
  }
  const { address, port, user, credential, platform, hostKey, folder = '~/.berth-host' } = parsed.data;
  const host: HostAccess = { transport: 'ssh', address, port, user, credential, platform, folder, ...(hostKey !== undefined && { hostKey }) };
  const { data } = await commands.send('host-agent-gateway', 'ProbeHost', { host }, id, { prefix: 'data.host.', patienceMs: PATIENCE_MS });
  const found = data as { hostKey: string; facts: Record<string, string> };
  return { hostKey: found.hostKey, fingerprint: fingerprint(found.hostKey), facts: found.facts };
}

/** As `ssh-keygen -l` shows it, of a line such as `ssh-ed25519 AAAA…`. */
function fingerprint(key: string): string {
  const digest = createHash('sha256').update(Buffer.from(key.split(' ')[1] ?? '', 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}
