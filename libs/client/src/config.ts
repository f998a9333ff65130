import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProblemError } from './problem.js';

/** Where Berth is and how to be let in. */
export interface CliConfig {
  url: string;
  token: string;
  natsUrl?: string;
}

/** The state folder: `BERTH_HOME`, else the nearest `.berth` in use above the current folder, else that of the checkout this code is in. */
export function berthHome(env: NodeJS.ProcessEnv, cwd = process.cwd()): string {
  const told = env['BERTH_HOME']?.trim();
  if (told) return resolve(cwd, told);
  const near = upward(cwd, (folder) => existsSync(join(folder, '.berth', 'cli.json')));
  if (near) return join(near, '.berth');
  const checkout = upward(dirname(fileURLToPath(import.meta.url)), (folder) => existsSync(join(folder, 'pnpm-workspace.yaml')));
  return join(checkout ?? cwd, '.berth');
}

/**
 * `BERTH_URL` and `BERTH_TOKEN`, else what `npm start` wrote into the state folder.
 * @throws {ProblemError} with the one thing to do about it
 */
export function readCliConfig(env: NodeJS.ProcessEnv, cwd = process.cwd()): CliConfig {
  const url = env['BERTH_URL']?.trim();
  const token = env['BERTH_TOKEN']?.trim();
  if (url && !URL.canParse(url)) throw new ProblemError(0, 'configuration', `BERTH_URL is not a URL: ${url}`);
  if (url && token) return { url, token };
  const file = join(berthHome(env, cwd), 'cli.json');
  const written = readWritten(file);
  if (!url) {
    if (!written) throw new ProblemError(0, 'configuration', 'Berth has not been started here: start it with `npm start`, or set BERTH_URL and BERTH_TOKEN.');
    return token ? { ...written, token } : written;
  }
  // The token of the local installation is for it alone: it is not shown to another address.
  if (written && new URL(written.url).origin === new URL(url).origin) return { ...written, url };
  throw new ProblemError(0, 'configuration', `BERTH_URL is set to ${url}, but BERTH_TOKEN is not: set it to a token of that Berth.`);
}

function readWritten(file: string): CliConfig | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ProblemError(0, 'configuration', `${file} can't be read (${(error as NodeJS.ErrnoException).code}): run as the user who started Berth, or set BERTH_URL and BERTH_TOKEN.`);
  }
  try {
    const { url, token, natsUrl } = JSON.parse(text) as Record<string, unknown>;
    if (typeof url !== 'string' || typeof token !== 'string') throw new Error('url or token is missing');
    return { url, token, ...(typeof natsUrl === 'string' && { natsUrl }) };
  } catch (error) {
    throw new ProblemError(0, 'configuration', `${file} is damaged (${(error as Error).message}): start Berth again with \`npm start\`.`);
  }
}

function upward(from: string, fits: (folder: string) => boolean): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (fits(folder)) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
