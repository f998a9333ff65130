import { MOST_SECRET_BYTES } from '@berth/contracts';
import { LEAST_BYTES } from '../masking/forms.js';

/** A secret that can't be used: one sentence that names it and says what to do, never what it is. */
export class SecretFault extends Error {
  override readonly name = 'SecretFault';
  constructor(
    readonly secret: string,
    why: string,
    options?: { cause?: unknown },
  ) {
    super(`The secret ${secret} can't be used: ${why}.`, options);
  }
}

/** Why no secret can be like that; nothing when one can. */
export function faultOfValue({ length }: Uint8Array): string | undefined {
  if (length < LEAST_BYTES) return `it is shorter than ${LEAST_BYTES} bytes, so it can't be masked in output; use a longer one`;
  if (length > MOST_SECRET_BYTES) return `it is larger than ${MOST_SECRET_BYTES} bytes; keep a key for it instead`;
  return undefined;
}
