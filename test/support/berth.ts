import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT } from '@berth/embedded/servers';
import { atEndOfFile } from './cleanup.js';
import { eventually } from './wait.js';

/** No credentials of this machine's user: a test must never reach a real cloud. */
const NO_CLOUD = { AWS_EC2_METADATA_DISABLED: 'true', AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_PROFILE: '', AWS_CONFIG_FILE: '/nowhere', AWS_SHARED_CREDENTIALS_FILE: '/nowhere' };

/** On a machine that is busy with much else. */
const START_MS = 200_000;

/** Where a Berth is, and how to get in. */
export interface BerthAddresses {
  url: string;
  token: string;
  /** of the bus, with the login of what people run */
  natsUrl: string;
  /** of the bus, for browsers, when BERTH_NATS_WS_PORT asks for it */
  websocketUrl: string | undefined;
}

/** The whole of Berth in a process of its own, as `npm start` runs it, until the end of the spec file; resolves once it is up. */
export async function startBerth(home: string, settings: Readonly<Record<string, string>> = {}): Promise<BerthAddresses> {
  const child = spawn(process.execPath, [join(CHECKOUT, 'infra', 'embedded', 'dist', 'start.js')], { env: { ...process.env, ...NO_CLOUD, BERTH_HTTP_PORT: '0', BERTH_HOME: home, ...settings }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  atEndOfFile(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  await eventually(() => {
    if (!said.includes('Berth is up')) throw new Error(`Berth is not up; it says only: ${said}`);
  }, { timeoutMs: START_MS });
  const [, websocketUrl] = /for browsers (ws:\S+)/.exec(said) ?? [];
  return { ...(JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as Omit<BerthAddresses, 'websocketUrl'>), websocketUrl };
}
