import { connect } from 'nats';
import { addressOptions, shownAddress, type TlsFiles } from './address.js';
import { applyStreams } from './streams.js';

/** Makes the streams of the server that NATS_URL names, with a login that may: what services without that right expect. */
const { NATS_URL: url, NATS_CA: caFile, NATS_CERT: certFile, NATS_KEY: keyFile } = process.env;
const files: TlsFiles = { ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }) };
try {
  if (!url) throw new Error('NATS_URL must be set, with the login of a user who may make streams, such as nats://admin:password@127.0.0.1:4222');
  const connection = await connect({ ...addressOptions(url, files), name: 'berth-streams', timeout: 10_000 }).catch((error: unknown) => {
    throw new Error(`NATS_URL ${shownAddress(url)} can't be used (${(error as Error).message}): start that server, or correct NATS_URL`, { cause: error });
  });
  try {
    await applyStreams(await connection.jetstreamManager());
  } finally {
    await connection.close();
  }
  process.stdout.write(`the streams of ${shownAddress(url)} are as they should be\n`);
} catch (error) {
  process.stderr.write(`berth: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
