import { commonMeaning, outage, throttled, type CommonMeaning } from './codes.js';
import type { Place } from './connections.js';

/** A call that did not work. */
export type CallTrouble = {
  readonly code: string;
  /** what was said, in one line; never a credential */
  readonly text: string;
  /** `unknown`: it may have been carried out all the same */
  readonly outcome: 'not-sent' | 'answered' | 'unknown';
} & (
  | CommonMeaning
  /** `known`: the code is one that the caller knows */
  | { readonly is: 'refused'; readonly known: boolean }
);

/** What credentials refer to is not there: known before anything is asked. The message never has a value of a variable. */
export class CredentialsMissing extends Error {
  override readonly name = 'CredentialsMissing';
}

/** An answer came, and it was none of EC2. */
export class ForeignAnswer extends Error {
  override readonly name = 'ForeignAnswer';
}

const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY']);
const LOST = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER']);

/** The parts of an error that the SDK fills in. */
interface Failure extends Error {
  code?: unknown;
  $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean };
}

/**
 * Tells passing trouble from refusals: every error of a call goes through here, so that each is told apart once.
 * @param known whether a code says something about what was asked for, whatever status it comes with
 * @throws what no provider can cause: a mistake in this program
 */
export function troubleOf(error: unknown, { endpoint, region }: Pick<Place, 'endpoint' | 'region'>, known: (code: string, message: string) => boolean = () => false): CallTrouble {
  if (!(error instanceof Error)) throw error;
  const { name, message, code: systemCode, $metadata } = error as Failure;
  const code = typeof systemCode === 'string' ? systemCode : name;
  const status = $metadata?.httpStatusCode;
  const told = (meaning: CommonMeaning, outcome: CallTrouble['outcome'], text = message): CallTrouble => ({ code, text: oneLine(text), outcome, ...meaning });
  const refused = (isKnown: boolean): CallTrouble => ({ code, text: oneLine(message), outcome: 'answered', is: 'refused', known: isKnown });

  if (name === 'CredentialsMissing' || name === 'CredentialsProviderError' || name === 'TokenProviderError') return told(commonMeaning(name)!, 'not-sent');
  if (name === 'AbortError') return told({ ...outage, advice: 'Berth itself gave it up' }, 'unknown');
  const silence = { ...outage, advice: endpoint === undefined ? `Berth must be able to reach the endpoint of ${region}` : 'Berth must be able to reach it' };
  if (NOT_SENT.has(code)) return told(silence, 'not-sent', message || 'no connection');
  // The SDK says it in words only: the connection was never there, so neither was the request.
  if (name === 'TimeoutError' && /did not establish a connection/.test(message)) return told(silence, 'not-sent', 'no connection within the time limit');
  if (name === 'TimeoutError' && code !== 'ECONNRESET') return told(silence, 'unknown', 'no answer within the time limit');
  if (LOST.has(code)) return told(silence, 'unknown', 'the connection ended before the answer was there');
  if (name === 'ForeignAnswer') return told({ ...outage, advice: 'what answers there is not EC2' }, 'unknown');
  if ($metadata === undefined) throw error;

  // The SDK has taken the time from this answer and signs the next request with it.
  if ($metadata.clockSkewCorrected === true) return told({ ...outage, advice: 'set the clock of the machine that Berth runs on' }, 'answered');
  if (known(code, message)) return refused(true);
  const meaning = commonMeaning(code);
  if (meaning !== undefined) return told(meaning, meaning.is === 'outage' ? 'unknown' : 'answered');
  if (status === 429) return told(throttled, 'answered');
  if (status === undefined || status >= 500) return told(outage, 'unknown', status === undefined ? message : `it answered with HTTP status ${status}`);
  // EC2 has a code for everything that it refuses; the SDK makes this one up for an answer without any.
  if (message === 'Unknown' || status < 400 || status === 404) return told({ ...outage, advice: 'what answers there is not EC2' }, 'unknown', `it answered with HTTP status ${status}`);
  return refused(false);
}

/** At most 400 characters. Ids of access keys are no secrets, but nobody needs them in an event either. */
function oneLine(message: string): string {
  const line = message.replace(/\s+/g, ' ').replace(/\b(AKIA|ASIA)[A-Z0-9]{12,}\b/g, '$1…').trim().replace(/[.:]$/, '');
  return line.length > 400 ? `${line.slice(0, 399)}…` : line;
}
