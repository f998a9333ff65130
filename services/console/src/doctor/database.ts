import type { DataSource } from 'typeorm';
import { failed, fine, warning, type DoctorCheck, type DoctorFinding } from '@berth/client';
import type { Hub } from '../live/hub.js';
import type { Projection } from '../views/projection.js';
import { clockFinding } from './clock.js';

/** The oldest that its makers still look after. */
const OLDEST = 14;
/** Commits that the rows may be behind without anybody noticing. */
const MUCH_BEHIND = 2000;

/** PostgreSQL as the console sees it, and whether the rows in it show the present. */
export function databaseChecks(database: DataSource, projection: Projection, hub: Hub): DoctorCheck[] {
  const hint = 'Start PostgreSQL, or correct DATABASE_URL. Until then lists of leases and builds answer 503; nothing is lost.';
  return [
    {
      name: 'database',
      hint,
      async run() {
        const [row] = await database.query<{ version: string }[]>("SELECT current_setting('server_version') AS version");
        const major = Number.parseInt(row!.version, 10);
        const version = major < OLDEST ? warning('database', `PostgreSQL ${row!.version} answers, and its makers no longer look after it.`, `Use ${OLDEST} or newer.`) : fine('database', `PostgreSQL ${row!.version} answers.`);
        const missing = await database.showMigrations();
        return [version, missing ? failed('migrations', 'The tables are not those of this version.', 'Restart the console, which brings them up to date.') : fine('migrations', 'The tables are those of this version.')];
      },
    },
    {
      name: 'clock of PostgreSQL',
      hint,
      async run() {
        const began = Date.now();
        const [row] = await database.query<{ now: string }[]>("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS now");
        return [clockFinding('clock of PostgreSQL', Date.parse(row!.now), began, Date.now())];
      },
    },
    { name: 'projections', hint, run: () => [lag(projection, hub)] },
  ];
}

function lag({ position, trouble }: Projection, hub: Hub): DoctorFinding {
  const behind = Math.max(0, hub.position - position);
  if (trouble !== undefined) return failed('projections', `They are ${behind} commits behind because they can't be written (${trouble}).`, 'Put the database right; they catch up by themselves. `berth projection rebuild` makes them anew.');
  if (behind > MUCH_BEHIND) return warning('projections', `They are ${behind} commits behind.`, 'They catch up by themselves; if they do not, the database is too slow for what happens.');
  return fine('projections', behind === 0 ? 'They show the present.' : `They are ${behind} commits behind.`);
}
