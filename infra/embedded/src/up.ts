import { startBerth } from './berth.js';

/**
 * Brings everything up and stays until SIGINT or SIGTERM; then drains and stops what it started.
 * Exit codes: 0 stopped as asked; 1 it could not start, or a part of it could not go on.
 */
export async function up(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  let end!: (reason: Error | undefined) => void;
  const ended = new Promise<Error | undefined>((resolve) => (end = resolve));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(undefined));
  const began = Date.now();
  try {
    const starting = startBerth({ env, progress: (line) => process.stdout.write(`${line}\n`), onFailure: end });
    // A signal while parts are still starting: they are let finish, so that each can be stopped properly.
    const berth = await starting;
    process.stdout.write(`Berth is up after ${((Date.now() - began) / 1000).toFixed(1)} s; state in ${berth.home}; Ctrl-C stops it\n`);
    if (berth.firstLink !== undefined) process.stdout.write(`sign in once, within an hour: ${berth.firstLink} (\`npx berth login-link\` prints another)\n`);
    const reason = await ended;
    process.stdout.write('stopping\n');
    await berth.stop();
    if (reason) throw reason;
    process.stdout.write('stopped\n');
  } catch (error) {
    process.stderr.write(`berth: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
  process.exit();
}
