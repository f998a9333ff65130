import { Ec2Refusal } from './refusal.js';

/**
 * The parameters of one call ("Query requests", API Reference: lists are numbered from 1, structures are joined by
 * dots). What nobody has read when `end` is called is refused, so a parameter that does nothing cannot pass unseen.
 */
export class Parameters {
  private constructor(
    private readonly values: ReadonlyMap<string, string>,
    private readonly read: Set<string>,
    private readonly prefix: string,
  ) {}

  /** @throws Ec2Refusal when a name stands there twice */
  static parse(body: string): Parameters {
    const values = new Map<string, string>();
    for (const [name, value] of new URLSearchParams(body)) {
      if (values.has(name)) throw new Ec2Refusal('InvalidQueryParameter', `The parameter ${name} is given twice`);
      values.set(name, value);
    }
    return new Parameters(values, new Set(), '');
  }

  /** All of them as they were sent. */
  all(): Record<string, string> {
    return Object.fromEntries(this.values);
  }

  /** The same text for the same parameters, whatever their order, without those named. */
  fingerprint(...without: readonly string[]): string {
    return JSON.stringify([...this.values].filter(([name]) => !without.includes(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  text(name: string): string | undefined {
    this.read.add(this.prefix + name);
    return this.values.get(this.prefix + name);
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw new Ec2Refusal('MissingParameter', `The request must contain the parameter ${this.prefix}${name}`);
    return value;
  }

  flag(name: string): boolean | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (value !== 'true' && value !== 'false') throw this.invalid(name, value);
    return value === 'true';
  }

  /** A whole number from `least` to `most`. */
  whole(name: string, least: number, most: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most) throw this.invalid(name, value, ` Expecting a number from ${least} to ${most}.`);
    return number;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = allowed.find((entry) => entry === value);
    if (found === undefined) throw this.invalid(name, value, ` Expecting one of ${allowed.join(', ')}.`);
    return found;
  }

  list(name: string): string[] {
    return this.numbers(name).map((number) => this.text(`${name}.${number}`) ?? '');
  }

  /** A list of structures. */
  groups(name: string): Parameters[] {
    return this.numbers(name).map((number) => this.inside(`${name}.${number}`));
  }

  /** A structure; undefined when no part of it is there. */
  group(name: string): Parameters | undefined {
    const start = `${this.prefix}${name}.`;
    return [...this.values.keys()].some((key) => key.startsWith(start)) ? this.inside(name) : undefined;
  }

  /** Whether the parameter or a part of it is there. */
  has(name: string): boolean {
    return this.values.has(this.prefix + name) || this.group(name) !== undefined;
  }

  /** @throws Ec2Refusal when parameters are left that nobody asked for */
  end(): void {
    const unknown = [...this.values.keys()].filter((name) => !this.read.has(name));
    if (unknown.length > 0) throw new Ec2Refusal('UnknownParameter', `The parameter ${unknown[0]} is not recognized`);
  }

  invalid(name: string, value: string, more = ''): Ec2Refusal {
    return new Ec2Refusal('InvalidParameterValue', `Value (${value}) for parameter ${this.prefix}${name} is invalid.${more}`);
  }

  private inside(name: string): Parameters {
    return new Parameters(this.values, this.read, `${this.prefix}${name}.`);
  }

  private numbers(name: string): number[] {
    const start = `${this.prefix}${name}.`;
    const found = new Set<number>();
    for (const key of this.values.keys()) {
      const number = key.startsWith(start) ? /^([1-9]\d*)(\.|$)/.exec(key.slice(start.length))?.[1] : undefined;
      if (number !== undefined) found.add(Number(number));
    }
    return [...found].sort((a, b) => a - b);
  }
}
