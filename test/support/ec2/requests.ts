import type { Cloud } from './cloud.js';
import type { Parameters } from './parameters.js';
import { Ec2Refusal } from './refusal.js';
import { checkCount, readTags } from './tags.js';
import type { Xml } from './xml.js';

/** `TagSpecification.N` by kind of resource. @throws Ec2Refusal for a kind that the call does not make */
export function readTagSpecifications(parameters: Parameters, kinds: readonly string[]): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>();
  for (const specification of parameters.groups('TagSpecification')) {
    const kind = specification.required('ResourceType');
    if (!kinds.includes(kind)) throw new Ec2Refusal('InvalidParameterValue', `'${kind}' is not a valid taggable resource type for this operation.`);
    const tags = { ...found.get(kind), ...readTags(specification) };
    checkCount(tags);
    found.set(kind, tags);
  }
  return found;
}

/** @throws Ec2Refusal when it was only asked whether it would work */
export function checkDryRun(dryRun: boolean): void {
  if (dryRun) throw new Ec2Refusal('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
}

/** "Ensuring idempotency in Amazon EC2 API requests" (Developer Guide): the same token makes one thing; what was refused is forgotten. */
export function once(cloud: Cloud, action: string, token: string | undefined, parameters: Parameters, answer: (id: string) => Record<string, Xml>, make: () => string): Record<string, Xml> {
  if (token === undefined || token === '') return answer(make());
  if (!/^[\x20-\x7e]{1,64}$/.test(token)) throw new Ec2Refusal('InvalidClientToken', 'The specified client token is not valid: it has up to 64 ASCII characters.');
  const key = `${action} ${token}`;
  const fingerprint = parameters.fingerprint('ClientToken');
  const before = cloud.storage.tokens.get(key);
  if (before === undefined) {
    const id = make();
    cloud.storage.tokens.set(key, { fingerprint, id });
    return answer(id);
  }
  if (before.fingerprint !== fingerprint) throw new Ec2Refusal('IdempotentParameterMismatch', 'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).');
  return answer(before.id);
}
