import type { BlueprintOf, LaunchFault } from '@berth/contracts';
import { meaningOf, outage, throttled, type Field, type Meaning } from './codes.js';

/** A call that did not work, in Berth's words. */
export type Trouble = {
  fault: LaunchFault;
  code: string;
  /** `data.spec.…`, as in SaveBlueprint; `data.spec` when it is not known which */
  field: string;
  /** one sentence for people, with the field to look at; never a credential */
  sentence: string;
  /** `unknown`: it may have been carried out all the same */
  outcome: 'not-sent' | 'answered' | 'unknown';
} & ({ then: 'another'; forMs: number } | { then: 'never' } | { then: 'again' });

/** What a blueprint refers to is not there: known before anything is asked. The message never has a value of a variable. */
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
 * Every error of a call goes through here, so that each is told apart once.
 * @throws what no provider can cause: a mistake in this program
 */
export function troubleOf(error: unknown, spec: Pick<BlueprintOf<'ec2'>, 'endpoint' | 'region'>): Trouble {
  if (!(error instanceof Error)) throw error;
  const { name, message, code: systemCode, $metadata } = error as Failure;
  const code = typeof systemCode === 'string' ? systemCode : name;
  const status = $metadata?.httpStatusCode;
  const where: Field = spec.endpoint === undefined ? 'region' : 'endpoint';
  const told = (meaning: Meaning, outcome: Trouble['outcome'], text = message): Trouble => {
    const field = ['data.spec', meaning.fault === 'outage' ? where : meaning.field].filter((part) => part !== '').join('.');
    const common = { fault: meaning.fault, code, field, outcome, sentence: `${SAYS[meaning.fault]}: ${clean(text)} (${code}). See ${field}: ${meaning.advice}` };
    return meaning.then === 'another' ? { ...common, then: 'another', forMs: meaning.forMs } : { ...common, then: meaning.then };
  };

  if (name === 'CredentialsMissing' || name === 'CredentialsProviderError' || name === 'TokenProviderError') return told(meaningOf(name, message)!, 'not-sent');
  if (name === 'AbortError') return told({ ...outage, advice: 'Berth itself gave it up' }, 'unknown');
  const silence = { ...outage, advice: spec.endpoint === undefined ? `Berth must be able to reach the endpoint of ${spec.region}` : 'Berth must be able to reach it' };
  if (NOT_SENT.has(code)) return told(silence, 'not-sent', message || 'no connection');
  // The SDK says it in words only: the connection was never there, so neither was the request.
  if (name === 'TimeoutError' && /did not establish a connection/.test(message)) return told(silence, 'not-sent', 'no connection within the time limit');
  if (name === 'TimeoutError' && code !== 'ECONNRESET') return told(silence, 'unknown', 'no answer within the time limit');
  if (LOST.has(code)) return told(silence, 'unknown', 'the connection ended before the answer was there');
  if (name === 'ForeignAnswer') return told({ ...outage, advice: 'what answers there is not EC2' }, 'unknown');
  if ($metadata === undefined) throw error;

  // The SDK has taken the time from this answer and signs the next request with it.
  if ($metadata.clockSkewCorrected === true) return told({ ...outage, advice: 'set the clock of the machine that Berth runs on' }, 'answered');
  const meaning = meaningOf(code, message);
  if (meaning !== undefined) return told(meaning, meaning.fault === 'outage' ? 'unknown' : 'answered');
  if (status === 429) return told(throttled, 'answered');
  if (status === undefined || status >= 500) return told(outage, 'unknown', status === undefined ? message : `it answered with HTTP status ${status}`);
  // EC2 has a code for everything that it refuses; the SDK makes this one up for an answer without any.
  if (message === 'Unknown' || status < 400 || status === 404) return told({ ...outage, advice: 'what answers there is not EC2' }, 'unknown', `it answered with HTTP status ${status}`);
  return told({ fault: 'configuration', then: 'never', field: '', advice: 'see what the message says' }, 'answered');
}

const SAYS: Readonly<Record<LaunchFault, string>> = {
  capacity: 'EC2 has no room for it',
  quota: 'the account has reached a quota',
  image: 'the image can not be used',
  credentials: 'the credentials do not work',
  configuration: 'EC2 does not take the blueprint as it is',
  timeout: 'it takes too long',
  throttled: 'EC2 asks to be asked less often',
  outage: 'EC2 did not answer',
  lost: 'the instance is gone',
  'not-ready': 'it does not become ready',
};

/** One line of at most 400 characters. Ids of access keys are no secrets, but nobody needs them in an event either. */
function clean(message: string): string {
  const line = message.replace(/\s+/g, ' ').replace(/\b(AKIA|ASIA)[A-Z0-9]{12,}\b/g, '$1…').trim().replace(/[.:]$/, '');
  return line.length > 400 ? `${line.slice(0, 399)}…` : line;
}
