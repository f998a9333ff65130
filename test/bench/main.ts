import { cleanUp } from '../support/cleanup.js';
import { builds } from './builds.js';
import { consoleReads } from './console.js';
import { contention } from './contention.js';
import { firstView } from './first-view.js';
import { hosts } from './hosts.js';
import { leases } from './leases.js';
import { load } from './load.js';
import { table, type Row } from './measure.js';
import { output } from './output.js';
import { placement } from './placement.js';
import { sse } from './sse.js';
import { tracing } from './tracing.js';
import { transfers } from './transfers.js';

const benchmarks: Record<string, () => Promise<Row[]>> = { leases, hosts, builds, contention, placement, output, transfers, load, sse, tracing, console: consoleReads, 'first-view': firstView };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  process.stderr.write(`there is no benchmark ${unknown.join(', ')}: use ${Object.keys(benchmarks).join(', ')}, or none for all\n`);
  process.exit(2);
}
process.on('uncaughtException', (error) => {
  process.stderr.write(`the benchmark failed: ${error.message}\n`);
  void cleanUp().finally(() => process.exit(1));
});
const rows: Row[] = [];
for (const [name, run] of Object.entries(benchmarks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`${name} ...\n`);
  rows.push(...(await run()));
  await cleanUp();
}
process.stdout.write(`${table(rows)}\n`);
process.exit(0);
