import { ErrorCode, type NatsConnection } from 'nats';
import { isServerSupported, lookAtStreams, OLDEST_SERVER } from '@berth/nats';
import type { DoctorFinding } from './api-operations.js';
import { failed, fine, warning } from './findings.js';

const LOOK_MS = 4000;
/** Share of the room of JetStream from which on somebody should do something. */
const NEARLY_FULL = 0.85;

/** What is wrong with a bus that one is connected to: version, JetStream, streams, room. */
export async function checkBus(connection: NatsConnection, shown: string): Promise<DoctorFinding[]> {
  const version = connection.info?.version ?? 'unknown';
  const findings: DoctorFinding[] = [
    isServerSupported(version)
      ? fine('bus', `NATS ${version} answers at ${shown}.`)
      : failed('bus', `NATS at ${shown} has version ${version}, and Berth needs ${OLDEST_SERVER.join('.')} or newer.`, 'Install a newer nats-server.'),
  ];
  try {
    return [...findings, ...(await checkJetStream(connection))];
  } catch (error) {
    if ((error as { code?: string }).code !== ErrorCode.PermissionsViolation) throw error;
    return [...findings, warning('jetstream', 'This login may not look at JetStream, so neither it nor the streams were looked at.', 'Name in NATS_URL a login that may: `admin`, or that of a service.')];
  }
}

async function checkJetStream(connection: NatsConnection): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  let manager;
  try {
    manager = await connection.jetstreamManager({ timeout: LOOK_MS });
  } catch (error) {
    if ((error as { code?: string }).code === ErrorCode.PermissionsViolation) throw error;
    return [failed('jetstream', `JetStream does not answer (${(error as Error).message}).`, 'Switch it on: `jetstream { store_dir: … }` in the configuration of nats-server.')];
  }
  const account = await manager.getAccountInfo();
  const { max_storage: most } = account.limits;
  const used = account.storage;
  const bytes = (count: number) => `${(count / 1024 ** 2).toFixed(0)} MiB`;
  if (most > 0 && used > most * NEARLY_FULL) findings.push(warning('jetstream', `JetStream holds ${bytes(used)} of the ${bytes(most)} that it may.`, 'Raise the limit of the account or max_file_store of the server, or make room on its disk.'));
  else findings.push(fine('jetstream', `JetStream is on and holds ${bytes(used)}${most > 0 ? ` of ${bytes(most)}` : ''}.`));
  const faults = await lookAtStreams(manager);
  for (const { stream, missing, why } of faults) {
    findings.push(missing ? failed('streams', `Stream ${stream} is missing.`, 'Restart the services, which make it. What was in it is gone: was the store of nats-server moved or emptied?') : warning('streams', `Stream ${stream} is not as Berth declares it: ${why}.`, 'Restart the services, which bring it up to date.'));
  }
  if (faults.length === 0) findings.push(fine('streams', 'All streams are there and as declared.'));
  return findings;
}
