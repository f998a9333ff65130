import { DriverFault } from './drivers/driver.js';
import { maskText } from '../masking/masker.js';
import { patternsOf } from '../masking/patterns.js';
import { SecretFault } from '../secrets/fault.js';

/** Where the values of secrets are read. @throws SecretFault */
export interface SecretStore {
  read(name: string): Promise<Buffer>;
}

/** The value of a secret, and how what others say is shown without it: servers repeat what they were sent. */
export interface ToldSecret {
  text: string;
  mask(text: string): string;
}

/** Reads a secret anew each time, so that a new value counts from then on. @throws DriverFault `no-secret` */
export async function toldSecret(secrets: SecretStore, name: string): Promise<ToldSecret> {
  try {
    const value = await secrets.read(name);
    const patterns = patternsOf([value]);
    return { text: value.toString('utf8'), mask: (text) => maskText(patterns, text) };
  } catch (error) {
    if (!(error instanceof SecretFault)) throw error;
    throw new DriverFault('no-secret', error.message, '', { cause: error });
  }
}

/** What a stranger says, on one line that a terminal and a log can show. */
export const oneLine = (text: string, most = 200): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim().slice(0, most);
