import { ProblemError } from '../../api/problem';

/** Reads "gpu=yes pool=night" or a line each. @throws {ProblemError} when a word is no pair */
export function readAttributes(text: string): Record<string, string> {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const wrong = words.find((word) => !/^[^=]+=.+$/.test(word));
  if (wrong !== undefined) throw new ProblemError(0, 'invalid-data', `${JSON.stringify(wrong)} is no attribute.`, [{ field: 'attributes', message: `${JSON.stringify(wrong)} is not of the form name=value` }]);
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}
