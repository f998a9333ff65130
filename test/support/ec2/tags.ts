import type { Parameters } from './parameters.js';
import { Ec2Refusal } from './refusal.js';

/** `Tag.N` of a call or of a part of it, under the rules of "Tag restrictions" (User Guide). */
export function readTags(parameters: Parameters): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const tag of parameters.groups('Tag')) {
    const key = tag.required('Key');
    const value = tag.text('Value') ?? '';
    if (key.toLowerCase().startsWith('aws:')) throw new Ec2Refusal('InvalidParameterValue', `Tag keys starting with 'aws:' are reserved for internal use`);
    if (key.length > 128) throw new Ec2Refusal('InvalidParameterValue', `Tag key exceeds the maximum length of 128 characters`);
    if (value.length > 256) throw new Ec2Refusal('InvalidParameterValue', `Tag value exceeds the maximum length of 256 characters`);
    if (tags[key] !== undefined) throw new Ec2Refusal('InvalidParameterValue', `Duplicate tag key '${key}' specified.`);
    tags[key] = value;
  }
  checkCount(tags);
  return tags;
}

/** @throws Ec2Refusal when there are more tags than a resource may have */
export function checkCount(tags: Readonly<Record<string, string>>): void {
  if (Object.keys(tags).length > 50) throw new Ec2Refusal('TagLimitExceeded', 'More than 50 tags specified');
}
