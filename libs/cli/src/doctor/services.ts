import { connect as dial } from 'node:net';
import { connect, ErrorCode } from 'nats';
import { checkBus, failed, fine, httpClient, runChecks, warning, type DoctorCheck, type DoctorFinding } from '@berth/client';
import { addressOptions, shownAddress, type TlsFiles } from '@berth/nats';
import type { Place } from './place.js';

const CONSOLE_MS = 60_000;
const CONNECT_MS = 3000;

/**
 * The console, and all that it sees. Where it does not answer, the bus and the database are asked from here, so that what
 * keeps it from starting is found.
 */
export function ofServices(place: Place): DoctorCheck[] {
  return [{ name: 'console', hint: 'Start Berth with `npm start`; its log is logs/berth.log in the state folder.', limitMs: CONSOLE_MS, run: (signal) => seen(place, signal) }];
}

async function seen(place: Place, signal: AbortSignal): Promise<DoctorFinding[]> {
  const { access } = place;
  const beneath = async () => runChecks([busCheck(place), databaseCheck(place)]);
  if (!access) {
    const port = await portFinding(place.env);
    return [failed('cli.json', place.accessFault!, 'Start Berth with `npm start`, which writes it, or set BERTH_URL and BERTH_TOKEN.'), ...port, ...(await beneath())];
  }
  const where: DoctorFinding[] = [fine('cli.json', `It says that Berth is at ${access.url}.`)];
  try {
    const { items } = await httpClient(access).doctor({ signal });
    return [...(place.local ? where : []), fine('console', `It answers at ${access.url}.`), ...items];
  } catch (error) {
    const { status, message } = error as { status?: number; message: string };
    const way = status === 403 ? 'Set BERTH_TOKEN to a token of an operator.' : place.local ? 'Start Berth anew, which writes its token into cli.json.' : 'Set BERTH_TOKEN to a token of that Berth.';
    const found = status === 401 || status === 403 ? failed('console', `It answers at ${access.url}, but not to this token: ${message}`, way) : failed('console', `It does not answer at ${access.url}: ${message}`, 'Start Berth with `npm start`; its log is logs/berth.log in the state folder.');
    return [...(place.local ? where : []), found, ...(await beneath())];
  }
}

/** Whether another program has the port that a start would take. */
async function portFinding(env: NodeJS.ProcessEnv): Promise<DoctorFinding[]> {
  const { isFree } = await import('@berth/embedded/servers');
  const port = Number(env['BERTH_HTTP_PORT'] || 4780);
  if (port === 0 || (await isFree('127.0.0.1', port))) return [fine('port', port === 0 ? 'Any free one is taken.' : `Port ${port} is free for the console.`)];
  return [failed('port', `Port ${port} is in use, so the console could not start on it.`, 'Stop what uses it, or set BERTH_HTTP_PORT to another one.')];
}

function busCheck(place: Place): DoctorCheck {
  const { env } = place;
  const hint = env['NATS_URL'] ? 'Start that server, or correct NATS_URL.' : '`npm start` starts it; its log is nats/log in the state folder.';
  return {
    name: 'bus',
    hint,
    limitMs: 12_000,
    async run() {
      const url = await busOf(place);
      if (!url) return [warning('bus', 'It is not known here where NATS is.', 'Set NATS_URL, or start Berth with `npm start`.')];
      let connection;
      try {
        await greeting(url);
        connection = await connect({ ...addressOptions(url, tlsFiles(env)), timeout: CONNECT_MS, reconnect: false });
      } catch (error) {
        if ((error as { code?: string }).code === ErrorCode.AuthorizationViolation) return [failed('bus', `NATS answers at ${shownAddress(url)}, but not to this login.`, env['NATS_URL'] ? 'Correct the login in NATS_URL.' : 'Start Berth anew, which writes the logins into its state folder.')];
        return [failed('bus', `NATS does not answer at ${shownAddress(url)} (${(error as Error).message}).`, hint)];
      }
      try {
        return await checkBus(connection, shownAddress(url));
      } finally {
        await connection.close();
      }
    },
  };
}

/** Where NATS is. That of the state folder is looked at as the console looks at it: the login in cli.json is for what people run, and may not. */
async function busOf({ env, home, local, access }: Place): Promise<string | undefined> {
  if (env['NATS_URL']) return env['NATS_URL'];
  const { ownBus } = await import('@berth/embedded/servers');
  const own = local ? await ownBus(home) : undefined;
  const known = access?.natsUrl;
  return own !== undefined && (known === undefined || new URL(known).host === new URL(own).host) ? own : known;
}

/** As the services are told of them. */
const tlsFiles = ({ NATS_CA: caFile, NATS_CERT: certFile, NATS_KEY: keyFile }: NodeJS.ProcessEnv): TlsFiles => ({ ...(caFile && { caFile }), ...(certFile && keyFile && { certFile, keyFile }) });

/**
 * Waits for what a NATS server says first. The client would keep the socket of one that says nothing, and the process with it.
 * @throws when nothing is said in time
 */
function greeting(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = dial(Number(port || 4222), hostname);
    const end = (fault?: Error) => {
      socket.destroy();
      if (fault) reject(fault);
      else resolve();
    };
    socket.setTimeout(CONNECT_MS, () => end(new Error('it says nothing')));
    socket.once('error', (error: NodeJS.ErrnoException) => end(new Error(error.code ?? error.message)));
    socket.once('data', (bytes) => end(bytes.toString().startsWith('INFO') ? undefined : new Error('what answers is not NATS')));
  });
}

function databaseCheck({ env, home, local }: Place): DoctorCheck {
  const hint = env['DATABASE_URL'] ? 'Start that server, or correct DATABASE_URL.' : '`npm start` starts it; its log is postgres/log in the state folder.';
  return {
    name: 'database',
    hint,
    limitMs: 8000,
    async run() {
      const { askDatabase, ownDatabase } = await import('@berth/embedded/servers');
      const url = env['DATABASE_URL'] || (local ? await ownDatabase(home) : undefined);
      if (!url) return [warning('database', 'It is not known here where PostgreSQL is.', 'Set DATABASE_URL, or start Berth with `npm start`.')];
      try {
        return [fine('database', `PostgreSQL ${await askDatabase(url)} answers at ${shownAddress(url)}.`)];
      } catch (error) {
        return [failed('database', `PostgreSQL does not answer at ${shownAddress(url)} (${(error as Error).message}).`, hint)];
      }
    },
  };
}
