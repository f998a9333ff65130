import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import type { MachineView } from '@berth/client';
import { failed, fine, warning, type DoctorCheck, type DoctorFinding } from '@berth/client';
import type { HostAccess } from '@berth/contracts';
import { UnavailableError } from '@berth/event-store';
import type { Runtime } from '@berth/runtime';
import { actorNow } from '../access/principal.js';
import type { Fleet } from '../views/fleet.js';
import { clockFinding } from './clock.js';

/** Machines that are looked at, so that a large fleet does not make everybody wait. */
const MOST = 40;
const AT_ONCE = 8;
const PROBE_MS = 12_000;
const CHECK_MS = 5000;
/** For all of them together. */
const LIMIT_MS = 40_000;
/** Rights of anybody but the owner. */
const OTHERS = 0o077;

/** Every machine as the gateway sees it now: a login of its own, with the key that was pinned. */
export function machineCheck({ bus }: Pick<Runtime, 'bus'>, fleet: Fleet): DoctorCheck {
  return {
    name: 'machines',
    hint: 'Is the host-agent-gateway well, and are the machines up?',
    limitMs: LIMIT_MS,
    async run(signal) {
      const all = fleet.machineList();
      if (all.length === 0) return [fine('machines', 'None is enrolled: builds run on what blueprints make.')];
      const found = new Map<string, DoctorFinding[]>();
      const waiting = all.slice(0, MOST);
      const worker = async () => {
        for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) found.set(next.name, [...(await credential(next)), ...(await probe(bus, next))]);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const findings = all.flatMap(({ name }) => found.get(name) ?? []);
      return all.length > MOST ? [...findings, warning('machines', `${all.length - MOST} of ${all.length} machines were not looked at.`, 'See `berth machine list` for whether they can be reached.')] : findings;
    },
  };
}

/** The file of a key where it is on this machine too; what the gateway itself can't read, its login says. */
async function credential({ name, credential: reference }: MachineView): Promise<DoctorFinding[]> {
  if (!reference.startsWith('file:') || process.platform === 'win32') return [];
  const path = reference.slice('file:'.length).replace(/^~(?=\/)/, homedir());
  const stats = await stat(path).catch(() => undefined); // elsewhere, or not ours to see
  if (!stats || (stats.mode & OTHERS) === 0) return [];
  return [warning(`key of ${name}`, `Others may use ${path}.`, `Take that away: chmod 600 ${path}`)];
}

async function probe(bus: Runtime['bus'], machine: MachineView): Promise<DoctorFinding[]> {
  const { name, address, port, user, credential: reference, platform, folder, hostKey } = machine;
  const check = `machine ${name}`;
  const host: HostAccess = { transport: 'ssh', address, port, user, credential: reference, platform: platform as HostAccess['platform'], folder: folder ?? '~/.berth-host', ...(hostKey && { hostKey }) };
  const posix = platform !== 'windows';
  const began = Date.now();
  try {
    const answer = await bus.command('host-agent-gateway', 'ProbeHost', { host, ...(posix && { check: { command: 'date +%s; ssh -V 2>&1', timeoutMs: CHECK_MS } }) }, { id: randomUUID(), actor: actorNow(), patienceMs: PROBE_MS });
    if (!answer.accepted) {
      const hint = answer.code === 'host-key-changed' ? `If the machine was made anew, have its key learnt anew: berth machine set ${name} --learn-host-key. If not, somebody else answers there.` : `Try \`ssh -p ${port} ${user}@${address}\` as the user that the gateway runs as.`;
      return [failed(check, answer.message, hint)];
    }
    const { facts, check: said } = answer.data as { facts: Record<string, string>; check?: { output: string } };
    const [seconds, ssh] = said?.output.split('\n') ?? [];
    const git = facts['git'];
    const findings = [
      git === undefined
        ? warning(check, `It answers with the pinned key, and has no git.`, 'Install git there: working copies of repositories are made with it.')
        : fine(check, `It answers with the pinned key and has git ${git}${ssh ? ` and ${ssh.split(',')[0]}` : ''}.`),
    ];
    // The host tells whole seconds.
    if (seconds && /^\d+$/.test(seconds)) findings.push(clockFinding(`clock of ${name}`, Number(seconds) * 1000 + 500, began - 500, Date.now() + 500));
    return findings;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return [failed(check, `Nothing was heard of it in ${PROBE_MS / 1000} s.`, 'Is the host-agent-gateway running?')];
  }
}
