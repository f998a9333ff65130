import type { BlueprintOf, LaunchFault } from '@berth/contracts';
import { commonMeaning, troubleOf as callTrouble, type CallTrouble } from '@berth/ec2';
import { fallbackMeaning, meaningOf, type Field, type Meaning } from './codes.js';

/** A call that did not work, in Berth's words. */
export type Trouble = {
  fault: LaunchFault;
  code: string;
  /** `data.spec.…`, as in SaveBlueprint; `data.spec` when it is not known which */
  field: string;
  /** one sentence for people, with the field to look at; never a credential */
  sentence: string;
  outcome: CallTrouble['outcome'];
} & ({ then: 'another'; forMs: number } | { then: 'never' } | { then: 'again' });

/**
 * What an error of a call means for a blueprint.
 * @throws what no provider can cause: a mistake in this program
 */
export function troubleOf(error: unknown, spec: Pick<BlueprintOf<'ec2'>, 'endpoint' | 'region'>): Trouble {
  const known = (code: string, message: string): Meaning | undefined => meaningOf(code, message) ?? (commonMeaning(code) === undefined ? fallbackMeaning(code, message) : undefined);
  // The message as it came, before it is one line: what it means stands in it.
  const message = error instanceof Error ? error.message : '';
  const call = callTrouble(error, spec, (code, text) => known(code, text) !== undefined);
  const meaning = meant(call, spec, () => known(call.code, message));
  const field = ['data.spec', meaning.field].filter((part) => part !== '').join('.');
  const common = { fault: meaning.fault, code: call.code, field, outcome: call.outcome, sentence: `${SAYS[meaning.fault]}: ${call.text} (${call.code}). See ${field}: ${meaning.advice}` };
  return meaning.then === 'another' ? { ...common, then: 'another', forMs: meaning.forMs } : { ...common, then: meaning.then };
}

function meant(call: CallTrouble, spec: Pick<BlueprintOf<'ec2'>, 'endpoint'>, known: () => Meaning | undefined): Meaning {
  const where: Field = spec.endpoint === undefined ? 'region' : 'endpoint';
  switch (call.is) {
    case 'permission':
      return { fault: 'credentials', then: 'never', field: 'credentials', advice: 'let these credentials run, describe, tag and terminate instances, describe images, and read the console' };
    case 'credentials':
      return { fault: 'credentials', then: 'never', field: 'credentials', advice: call.advice };
    case 'throttled':
      return { fault: 'throttled', then: 'again', field: 'region', advice: call.advice };
    case 'outage':
      return { fault: 'outage', then: 'again', field: where, advice: call.advice };
    case 'refused':
      return (call.known ? known() : undefined) ?? { fault: 'configuration', then: 'never', field: '', advice: 'see what the message says' };
  }
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
