import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { satisfies } from '@berth/contracts';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { commandLines } from '../runner/runner.testing.js';
import { connectLocal } from '../transports/local.js';
import { probe } from './probe.js';

const path = process.env['PATH'];
let home: string;
beforeAll(async () => {
  home = await tempFolder('probe');
});
afterEach(() => {
  process.env['PATH'] = path;
});

const factsWith = async (tools: string, folder = join(home, 'not/there/yet')) => {
  process.env['PATH'] = tools;
  const transport = await connectLocal({ id: 'here', transport: 'local', address: '', port: 0, user: '', credential: 'agent', folder });
  try {
    return (await probe(transport, undefined)).facts;
  } finally {
    await transport.close();
  }
};
/** A folder with these tools alone, each a script. */
function toolbox(name: string, scripts: Record<string, string>, links: readonly string[]): string {
  const box = join(home, name);
  mkdirSync(box);
  for (const tool of links) symlinkSync(execFileSync('which', [tool], { encoding: 'utf8', env: { PATH: path } }).trim(), join(box, tool));
  for (const [tool, script] of Object.entries(scripts)) {
    writeFileSync(join(box, tool), `#!/bin/sh\n${script}\n`);
    chmodSync(join(box, tool), 0o755);
  }
  return box;
}
const BASIC = ['sh', 'uname', 'getconf', 'df', 'sleep'];

describe('what a host says of itself', () => {
  it('can be asked for by size and version', async () => {
    const facts = await factsWith(path!);
    expect(satisfies(facts, { os: 'linux', cpus: '>=1', memory: '>=1GiB', disk: '>=1MiB <1000TiB', kernel: '>=3.10', git: '>=2.20', node: '>=20.0.0', distro: '*' })).toBe(true);
    expect(satisfies(facts, { node: '>=2000' })).toBe(false);
  });

  it('reads versions however a tool tells them', async () => {
    const said = {
      git: 'echo git version 2.39.5 "(Apple Git-154)"',
      node: 'echo v20.20.0',
      docker: 'echo Docker version 24.0.7, build afdd53b',
      python3: 'echo Python 3.11.2 >&2',
      gcc: 'echo "gcc (Debian 12.2.0-14) 12.2.0"; echo more 9.9.9',
      java: `echo 'openjdk version "17.0.9" 2023-10-17' >&2`,
      go: 'echo go version go1.21.5 linux/amd64',
      cmake: 'echo "* [x] $(y)"; exit 1',
      make: 'true',
    };
    expect(await factsWith(toolbox('said', said, BASIC))).toMatchObject({ git: '2.39.5', node: '20.20.0', docker: '24.0.7', python3: '3.11.2', gcc: '12.2.0', java: '17.0.9', go: '1.21.5', cmake: 'yes', make: 'yes' });
  });

  it.each(['timeout', 'perl'])('is not held up by a tool that hangs, and ends that (%s)', async (limiter) => {
    const box = toolbox(limiter, { docker: `sleep 87${limiter.length}00 & sleep 87${limiter.length}00`, git: 'echo 1.2' }, [...BASIC, limiter]);
    const since = performance.now();
    const facts = await factsWith(box);
    expect(performance.now() - since).toBeLessThan(6000);
    expect(facts).toMatchObject({ os: 'linux', git: '1.2', docker: 'yes' });
    expect(facts).not.toHaveProperty('node');
    expect(commandLines().filter((line) => line === `sleep 87${limiter.length}00`)).toEqual([]);
  });
});
