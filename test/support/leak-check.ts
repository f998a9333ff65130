import { afterAll } from 'vitest';
import { cleanUp } from './cleanup.js';
import { watchForLeaks } from './leaks.js';
import './orphan.js';

// A setup file of vitest: it runs before each test file, so these hooks are the first ones and therefore the last to run,
// after the file's own: first what is pending is cleaned up, then it is looked at what is left. Not in a module that files
// import: test files share a process and what it has loaded, so such a module would register its hook for one of them alone.
const watch = watchForLeaks();

afterAll(async () => {
  const { processes, files } = await watch.end();
  const said = [
    ...(processes.length > 0 ? [`processes still running: ${processes.join('; ')}`] : []),
    ...(files.length > 0 ? [`in the temporary folder: ${files.join(', ')}`] : []),
  ];
  if (said.length > 0) throw new Error(`this test file left something behind: ${said.join('; ')}`);
}, 30_000);
afterAll(cleanUp, 60_000);
