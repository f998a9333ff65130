import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { collector } from '../runner/runner.testing.js';
import { createRunner } from '../runner/run.js';
import { createPool } from '../transports/pool.js';
import type { HostSpec } from '../transports/transport.js';
import { keepScript, prepareScript, removeScript, workingCopyResult, type KeepRequest, type WorkingCopyRequest, type WorkingCopyResult } from './working-copy.js';

/** A host of one spec, on which scripts run as actions do, and repositories to clone. */
export interface GitHost {
  home: string;
  host: HostSpec;
  run(script: string, env?: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }>;
  prepare(request: Partial<WorkingCopyRequest>, env?: Record<string, string>): Promise<WorkingCopyResult>;
  /** False when nothing was kept. */
  keep(request: KeepRequest): Promise<boolean>;
  remove(copyId: string): Promise<WorkingCopyResult>;
  /** A repository with a commit on `main` of these files. */
  repository(name: string, files?: Record<string, string>): Repository;
  close(): Promise<void>;
}

export interface Repository {
  path: string;
  git(...args: string[]): string;
  /** Commits these files and gives the commit's id. */
  commit(files: Record<string, string>): string;
}

export function gitHost(): GitHost {
  const home = mkdtempSync(join(tmpdir(), 'berth-git-'));
  const host: HostSpec = { id: 'git', transport: 'local', address: '', port: 0, user: '', credential: 'agent', folder: join(home, 'folder') };
  const pool = createPool();
  const runner = createRunner(pool);
  const run = async (script: string, env: Record<string, string> = {}) => {
    const seen = collector();
    const id = randomUUID();
    const outcome = await runner.run(host, { id, script, cwd: '/', env }, seen);
    await runner.forget(host, [id]);
    if (outcome.kind !== 'exited') throw new Error(JSON.stringify(outcome));
    return { code: outcome.code, stdout: seen.text('stdout'), stderr: seen.text('stderr') };
  };
  const act = async (copyId: string, script: string, env?: Record<string, string>): Promise<WorkingCopyResult> => {
    const { code, stdout, stderr } = await run(script, env);
    return workingCopyResult(host.folder, copyId, code, stdout, stderr);
  };
  return {
    home,
    host,
    run,
    prepare(request, env) {
      const full = { copyId: randomUUID(), ...request };
      return act(full.copyId, prepareScript(host.folder, full), env);
    },
    keep: async (request) => (await act(request.copyId, keepScript(host.folder, request))).ok,
    remove: (copyId) => act(copyId, removeScript(host.folder, copyId)),
    repository(name, files = { file: name }) {
      const path = join(home, name);
      mkdirSync(path);
      const git = (...args: string[]) => execFileSync('git', ['-C', path, '-c', 'user.name=n', '-c', 'user.email=e@x', ...args], { encoding: 'utf8' }).trim();
      const commit = (changed: Record<string, string>) => {
        for (const [file, text] of Object.entries(changed)) {
          mkdirSync(dirname(join(path, file)), { recursive: true });
          writeFileSync(join(path, file), text);
        }
        git('add', '.');
        git('commit', '--quiet', '-m', Object.keys(changed).join());
        return git('rev-parse', 'HEAD');
      };
      git('init', '--quiet', '--initial-branch=main');
      commit(files);
      return { path, git, commit };
    },
    async close() {
      await pool.closeAll();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
