import type { JetStreamManager, NatsError, StreamConfig } from 'nats';
import { streams } from './streams.js';

/** The oldest server that Berth is run on. */
export const OLDEST_SERVER = [2, 9] as const;

/** Something about a stream that is not as it is declared; `why` says what. */
export interface StreamFault {
  stream: string;
  missing: boolean;
  why: string;
}

/** JetStream error 10059. */
const STREAM_NOT_FOUND = 10059;

/** Looks whether the streams are there and as declared. Room that was made smaller for a small disk is no fault. */
export async function lookAtStreams(manager: JetStreamManager): Promise<StreamFault[]> {
  const faults = await Promise.all(
    Object.values(streams).map(async (declared): Promise<StreamFault[]> => {
      try {
        const { config } = await manager.streams.info(declared.name);
        const differ = Object.entries(declared).filter(([key, wanted]) => !same(key, wanted, config[key as keyof StreamConfig]));
        return differ.map(([key, wanted]) => ({ stream: declared.name, missing: false, why: `${key} is ${JSON.stringify(config[key as keyof StreamConfig])} and should be ${JSON.stringify(wanted)}` }));
      } catch (error) {
        if ((error as NatsError).api_error?.err_code !== STREAM_NOT_FOUND) throw error;
        return [{ stream: declared.name, missing: true, why: 'it is not there' }];
      }
    }),
  );
  return faults.flat();
}

function same(key: string, wanted: unknown, present: unknown): boolean {
  if (key === 'max_bytes') return typeof present === 'number' && present > 0 && present <= (wanted as number);
  return JSON.stringify(wanted) === JSON.stringify(present);
}

/** Whether a server is new enough. */
export function isServerSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_SERVER[0] || (major === OLDEST_SERVER[0] && minor >= OLDEST_SERVER[1]);
}
