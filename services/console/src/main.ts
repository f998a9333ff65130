import { ConfigError, Metrics, runService } from '@berth/runtime';
import { startConsole } from './console.module.js';

await runService(
  async (config, fail) => {
    const token = process.env['BERTH_TOKEN'];
    if (!token) throw new ConfigError('BERTH_TOKEN must be set to run the console alone: whoever shows it may use the HTTP API.');
    const running = await startConsole(config, fail, { token, readiness: () => Promise.resolve({}), metrics: new Metrics().watchProcess() });
    if (running.firstLink) process.stdout.write(`sign in once, within an hour: ${running.firstLink.url} (\`npx berth login-link\` prints another)\n`);
    return running;
  },
  { database: true },
);
