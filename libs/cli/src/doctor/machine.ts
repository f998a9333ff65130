import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { fine, warning, failed, type DoctorCheck, type DoctorFinding } from '@berth/client';
import type { Place } from './place.js';

const run = promisify(execFile);
const ASK_MS = 3000;

/** The oldest Node that Berth runs on. */
const OLDEST_NODE = [20, 19] as const;

/** What this machine itself has. */
export function ofMachine({ env, local }: Place): DoctorCheck[] {
  const node: DoctorCheck = { name: 'node', hint: 'Install Node 20.19 or newer.', run: () => [nodeFinding(process.versions.node)] };
  const agent: DoctorCheck = { name: 'ssh-agent', hint: 'Start ssh-agent anew, or enrol machines with file:PATH.', run: async () => [await agentFinding(env['SSH_AUTH_SOCK'])] };
  if (!local) return [node];
  return [node, tool('git', ['--version'], /version (\S+)/, 'working copies on this machine are made with it', 'failed'), tool('ssh', ['-V'], /OpenSSH_([^\s,]+)/, 'people log in to machines with it; Berth itself does not need it', 'warning'), agent];
}

/** Exported for its spec. */
export function nodeFinding(version: string): DoctorFinding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return fine('node', `Node ${version}.`);
  return failed('node', `Node ${version} is too old.`, `Install Node ${OLDEST_NODE.join('.')} or newer.`);
}

function tool(name: string, words: string[], version: RegExp, why: string, otherwise: 'failed' | 'warning'): DoctorCheck {
  const hint = `Install ${name}: ${why}.`;
  const bad = otherwise === 'failed' ? failed : warning;
  return {
    name,
    hint,
    async run() {
      try {
        const { stdout, stderr } = await run(name, words, { timeout: ASK_MS });
        return [fine(name, `${name} ${version.exec(stdout + stderr)?.[1] ?? '(of an unknown version)'}.`)];
      } catch (error) {
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        return [bad(name, missing ? `${name} is not on PATH.` : `${name} does not run (${(error as Error).message.split('\n')[0]}).`, hint)];
      }
    },
  };
}

/** Machines may be enrolled with `agent`: then there must be one that answers. */
async function agentFinding(socket: string | undefined): Promise<DoctorFinding> {
  if (!socket) return fine('ssh-agent', 'SSH_AUTH_SOCK is not set here: machines that are enrolled with "agent" can\'t be reached, all others can.');
  const answers = await new Promise<string | undefined>((resolve) => {
    const probe = connect(socket);
    const end = (why: string | undefined) => {
      probe.destroy();
      resolve(why);
    };
    probe.setTimeout(ASK_MS, () => end('it does not answer'));
    probe.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    probe.once('connect', () => end(undefined));
  });
  return answers === undefined ? fine('ssh-agent', 'It answers.') : warning('ssh-agent', `SSH_AUTH_SOCK is set, but ${socket} can't be used (${answers}).`, 'Start ssh-agent anew, or enrol machines with file:PATH.');
}
