import { test, expect } from 'vitest';
import { startPostgres } from './postgres.js';
import { removeHome } from './postgres-user.js';
import { mkdtempSync, chmodSync, readFileSync, existsSync, statSync } from 'node:fs';
import pg from 'pg';
for (const base of ['/tmp/inf/h-', '/root/bh-']) test('pg ' + base, async () => {
  const home = mkdtempSync(base);
  chmodSync('/tmp/inf', 0o755);
  for (let i = 0; i < 3; i++) {
    const t = performance.now();
    const s = await startPostgres({ home });
    console.log(base, s.url, Math.round(performance.now() - t), statSync(home).mode.toString(8), existsSync(home + '/postgres/place') && readFileSync(home + '/postgres/place', 'utf8'));
    const c = new pg.Client({ connectionString: s.url }); await c.connect();
    c.on('error', () => {});
    console.log((await c.query('select version(), current_database(), lower($1)', ['ÄÖ'])).rows[0]);
    const u = performance.now();
    await s.stop();
    console.log('stop', performance.now() - u);
  }
  removeHome(home);
}, 60000);
