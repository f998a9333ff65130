import { InvalidArgumentError } from 'commander';
import { imageTargets, type ImageTarget } from '@berth/contracts';
import { Failure, USAGE } from '../../failure.js';
import { keyValue } from '../../options.js';

/** Words with commas between them; given again, they add up. */
export function words(text: string, before: string[] = []): string[] {
  const all = text.split(',').map((word) => word.trim());
  if (all.includes('')) throw new InvalidArgumentError('Use one name, or several with commas between them.');
  return [...new Set([...before, ...all])];
}

/** What an image can be built as. */
export function targetOf(text: string): ImageTarget {
  const found = imageTargets.find((target) => target === text);
  if (found === undefined) throw new InvalidArgumentError(`There is no target ${JSON.stringify(text)}: use ${imageTargets.join(', ')}.`);
  return found;
}

/** Targets with commas between them. */
export const targetsOf = (text: string, before: ImageTarget[] = []): ImageTarget[] => [...new Set([...before, ...words(text).map(targetOf)])];

/** `KEY=VALUE` once, as lists ask for it: `KEY:VALUE`. */
export function oneLabel(text: string, before?: string): string {
  if (before !== undefined) throw new InvalidArgumentError('A list is asked for by one label.');
  const [[key, value] = ['', '']] = Object.entries(keyValue(text));
  return `${key}:${value}`;
}

/** `KEY=VALUE`, as many as there are. */
export const pairsOf = (text: string, before: Record<string, string> | undefined): Record<string, string> => keyValue(text, before ?? {});

/** A version, and what comes after the slash: what it is built as, or where it was pushed to. */
export function partOf(flag: string, what: string): (text: string) => { version: string; part: string } {
  return (text) => {
    const at = text.lastIndexOf('/');
    if (at < 1 || at === text.length - 1) throw new InvalidArgumentError(`${flag} is VERSION/${what}, such as web@3/${what === 'TARGET' ? 'raw' : 'eu'}.`);
    return { version: text.slice(0, at), part: text.slice(at + 1) };
  };
}

/** `VERSION/TARGET` */
export function targetImageOf(text: string): { version: string; target: ImageTarget } {
  const { version, part } = partOf('--targetimage', 'TARGET')(text);
  return { version, target: targetOf(part) };
}

/** `VERSION/ACCOUNT` */
export function providerImageOf(text: string): { version: string; account: string } {
  const { version, part } = partOf('--providerimage', 'ACCOUNT')(text);
  return { version, account: part };
}

/** The one thing that was given. @throws {Failure} none or several were */
export function oneOf<T extends object>(given: T, names: { readonly [K in keyof T]-?: string }): keyof T {
  const there = (Object.keys(given) as (keyof T)[]).filter((key) => given[key] !== undefined);
  const all = Object.values<string>(names);
  if (there.length === 1) return there[0]!;
  const choice = `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
  throw new Failure('usage', there.length === 0 ? `Give ${choice}.` : `${there.map((key) => names[key]).join(' and ')} do not go together: give one of them.`, [], USAGE);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const isId = (text: string): boolean => UUID.test(text);
/** Is it the name of a version (id, `IMAGE@NUMBER`, `IMAGE:CHANNEL`), and not that of an image? */
export const isVersion = (text: string): boolean => isId(text) || /[@:]/.test(text);
/** The image in the name of a version or a channel; none in an id. */
export const imageIn = (text: string): string | undefined => (isId(text) ? undefined : /^[^@:/]+/.exec(text)?.[0]);
/** What a version is called by people. */
export const versionName = ({ image, number }: { image: string; number: number }): string => `${image}@${number}`;
