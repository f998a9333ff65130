import { chmod, readFile, readdir } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { connectBus, httpClient, type BerthHttp, type BuildView, type BusClient, type LeaseView } from '@berth/client';
import { startBerth, type Berth } from '@berth/embedded';
import { CHECKOUT, ensureHome, findTool, resolveHome, startSshd, type Sshd } from '@berth/embedded/servers';
import type { Answer } from '@berth/contracts';
import { watchBuild } from './follow.js';
import { withRepository } from './plan-file.js';
import { span, table } from './text.js';

/** Where the demo's host keeps working copies and running commands. */
interface Host {
  folder: string;
  sshd?: Sshd;
}

/**
 * The main job from nothing: everything of Berth on this machine, a host to lease, a build asked for on the bus, its summary.
 * Exit codes: 0 the build passed and nothing is left of it; 1 anything else; 2 an unknown option.
 */
async function demo(args: string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== '--json');
  if (unknown.length > 0) {
    process.stderr.write(`demo: unknown option ${unknown.join(' ')}; usage: npm run demo [-- --json]\n`);
    return 2;
  }
  const json = args.includes('--json');
  // With --json the last thing on standard output is the one object; people read along on standard error.
  const screen = json ? process.stderr : process.stdout;
  const say = (line: string) => screen.write(`${line}\n`);

  // A folder of its own, so that it runs beside an installation and never touches it.
  const home = join(resolveHome(), 'demo');
  let berth: Berth | undefined;
  let host: Host | undefined;
  let bus: BusClient | undefined;
  // Stopped by hand: what was started is stopped first.
  let interrupt!: (error: Error) => void;
  const interrupted = new Promise<never>((_, reject) => (interrupt = reject));
  interrupted.catch(() => undefined); // thrown where it is waited for
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt(new Error(`stopped by ${signal}`)));
  try {
    await findTool('git');
    await ensureHome(resolveHome());
    // As root the database server is another user, who has to be able to pass through; what is secret has a mode of its own.
    if (process.getuid?.() === 0) await chmod(resolveHome(), 0o711);
    berth = await startBerth({ env: { ...process.env, BERTH_HOME: home, BERTH_HTTP_PORT: '0' }, progress: say });
    bus = await connectBus(berth.natsUrl);
    const api = httpClient({ url: berth.url, token: berth.token });
    host = await enrol(bus, home, say);
    const source = await readFile(join(CHECKOUT, 'examples', 'wordcount.yaml'), 'utf8');
    const plan = await withRepository(host.sshd ? source : onLocalHost(source), CHECKOUT, home, say);
    must(await bus.command('build-orchestrator', 'ApplyPlan', { source: plan }, { actor: 'demo' }));

    const id = randomUUID();
    const answer = must(await bus.command('build-orchestrator', 'RequestBuild', { plan: 'wordcount', variables: {} }, { id, actor: 'demo' }));
    say(`build     ${answer.id}, requested on the bus\n`);
    await Promise.race([watchBuild(api, id, screen), interrupted]);
    await Promise.race([bus.waitForStatus('build', id, (event) => event.data['cleanedUp'] === true, { timeoutMs: 30_000 }), interrupted]);

    const build = await api.builds.get(id);
    const leases = await leasesOf(api, build);
    const leftovers = await left(host.folder);
    summarize(build, leases, leftovers, host.folder, say);
    if (json) {
      const result = {
        build: { id: build.id, status: build.status, percent: build.percent },
        leases: leases.map(({ id, type, status }) => ({ id, type, status })),
        artifacts: build.artifacts.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
        leftovers,
      };
      process.stdout.write(`${JSON.stringify(result)}\n`);
    }
    return build.status === 'passed' && leftovers.length === 0 && leases.every((lease) => lease.status === 'destroyed') ? 0 : 1;
  } catch (error) {
    process.stderr.write(`demo: ${(error as Error).message}\n`);
    return 1;
  } finally {
    await bus?.close();
    await berth?.stop();
    await host?.sshd?.stop();
  }
}

/** A real OpenSSH server on loopback as the machine to lease; where that can't be had, the machine Berth runs on. */
async function enrol(bus: BusClient, home: string, say: (line: string) => void): Promise<Host> {
  let sshd: Sshd;
  try {
    // A shell inside a shell leaves out its owner's start files: what is in them must not decide how long the demo takes.
    sshd = await startSshd({ dir: join(home, 'sshd'), env: { SHLVL: '1' } });
  } catch (error) {
    say(`machine   no SSH server can be run here (${(error as Error).message}), so the build runs on the local blueprint`);
    return { folder: join(home, 'local') };
  }
  const folder = join(home, 'host');
  const spec = { name: 'loopback', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, hostKey: sshd.hostKeyPublic, platform: process.platform === 'darwin' ? ('mac' as const) : ('linux' as const), slots: 2, folder };
  try {
    let answer = await bus.command('allocator', 'AddMachine', spec, { actor: 'demo' });
    if (!answer.accepted && answer.code === 'name-taken') {
      // Of an earlier run, on another port.
      must(await bus.command('allocator', 'RemoveMachine', { name: spec.name }, { actor: 'demo' }));
      answer = await bus.command('allocator', 'AddMachine', spec, { actor: 'demo' });
    }
    must(answer);
  } catch (error) {
    await sshd.stop();
    throw error;
  }
  say(`machine   ${spec.name}: OpenSSH on ${sshd.host}:${sshd.port}, host key ${sshd.hostFingerprint}`);
  return { folder, sshd };
}

/** The same plan for the host that Berth runs on. */
const onLocalHost = (source: string) => source.replace(/^host:.*$/m, `host: { os: ${process.platform === 'darwin' ? 'mac' : 'linux'}, remote: "no" }`);

function must(answer: Answer): Extract<Answer, { accepted: true }> {
  if (!answer.accepted) throw new Error(answer.message);
  return answer;
}

async function leasesOf(api: BerthHttp, build: BuildView): Promise<LeaseView[]> {
  const ids = [build.hostLease, build.workingCopyLease].filter((id) => id !== null);
  return Promise.all(ids.map((id) => api.leases.get(id)));
}

/** What is left in the host's folder of working copies and of running commands. */
async function left(folder: string): Promise<string[]> {
  const names = await Promise.all(
    ['copies', 'actions'].map(async (part) => {
      try {
        return (await readdir(join(folder, part))).map((name) => join(folder, part, name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
    }),
  );
  return names.flat();
}

function summarize(build: BuildView, leases: LeaseView[], leftovers: string[], folder: string, say: (line: string) => void): void {
  say(`\nbuild ${build.id}: ${build.status}${build.error ? ` (${build.error})` : ''}, ${build.percent}%\n`);
  say(table(build.steps, [['STEP', (s) => s.name], ['OUTCOME', (s) => s.outcome], ['TIME', (s) => (s.durationMs === null ? '' : span(s.durationMs))]]));
  say('');
  say(table(leases, [['LEASE', (l) => l.id], ['TYPE', (l) => l.type], ['BLUEPRINT', (l) => l.blueprint], ['ENDED AS', (l) => l.status], ['BECAUSE', (l) => l.error ?? l.reason]]));
  say('');
  say(table(build.artifacts, [['ARTIFACT', (a) => a.name], ['BYTES', (a) => a.bytes], ['SHA-256', (a) => a.sha256]]));
  say('');
  say(leftovers.length === 0 ? `nothing is left on the host: no working directory in ${folder}` : `LEFT on the host:\n${leftovers.join('\n')}`);
}

process.exitCode = await demo(process.argv.slice(2));
process.exit();
