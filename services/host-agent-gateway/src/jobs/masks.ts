import { maskText } from '../masking/masker.js';
import { patternsOf, type Patterns } from '../masking/patterns.js';
import { SecretFault } from '../secrets/fault.js';
import { DriverFault } from './drivers/driver.js';

/** The secrets that one job has read: masked in all that is kept of it. */
export class Masks {
  private readonly values = new Map<string, Buffer>();
  private patterns: Patterns | undefined;

  constructor(private readonly read: (name: string) => Promise<Buffer>) {}

  /** @throws DriverFault `no-secret` */
  async secret(name: string): Promise<string> {
    try {
      const value = await this.read(name);
      this.values.set(name, value);
      this.patterns = undefined;
      return value.toString('utf8');
    } catch (error) {
      if (error instanceof SecretFault) throw new DriverFault('no-secret', error.message, '', { cause: error });
      throw error;
    }
  }

  mask(text: string): string {
    if (this.values.size === 0) return text;
    this.patterns ??= patternsOf([...this.values.values()]);
    return maskText(this.patterns, text);
  }
}
