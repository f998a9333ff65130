import { afterAll } from 'vitest';
import { watchForLeaks } from './leaks.js';

// A setup file of vitest: it runs before each test file, so this hook is the first one and therefore the last to run,
// after the file's own hooks and after cleanup.ts.
const watch = watchForLeaks();

// A run that is killed leaves this process alone with its test. Ending properly stops the servers that it started.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && process.exit(1), 500).unref();

afterAll(async () => {
  const { processes, files } = await watch.end();
  const said = [
    ...(processes.length > 0 ? [`processes still running: ${processes.join('; ')}`] : []),
    ...(files.length > 0 ? [`in the temporary folder: ${files.join(', ')}`] : []),
  ];
  if (said.length > 0) throw new Error(`this test file left something behind: ${said.join('; ')}`);
}, 30_000);
