import { ConfigError, runService } from '@berth/runtime';
import { startConsole } from './console.module.js';

await runService(
  (config, fail) => {
    const token = process.env['BERTH_TOKEN'];
    if (!token) throw new ConfigError('BERTH_TOKEN must be set to run the console alone: whoever shows it may use the HTTP API.');
    return startConsole(config, fail, { token, readiness: () => Promise.resolve({}) });
  },
  { database: true },
);
