import pg from 'pg';
import { expect, test } from 'vitest';
import { freshDatabase } from './postgres.js';

test('two databases know nothing of each other', async () => {
  const [one, two] = await Promise.all([freshDatabase(), freshDatabase()]);
  const first = new pg.Client({ connectionString: one });
  const second = new pg.Client({ connectionString: two });
  await first.connect();
  await second.connect();
  await first.query('CREATE TABLE kept (n int)');
  await expect(second.query('SELECT * FROM kept')).rejects.toThrow(/does not exist/);
  await first.end();
  await second.end();
});
