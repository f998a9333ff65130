import type { Cloud } from './cloud.js';

/** Keys of the one user of an account; they are the same in every region. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Accounts and regions: each pair is a cloud of its own, and knows the others only by what is shared or copied. */
export class World {
  private readonly clouds: Cloud[] = [];
  private readonly keys = new Map<string, Keys>();

  add(cloud: Cloud): void {
    if (this.clouds.some(({ accountId, region }) => accountId === cloud.accountId && region === cloud.region)) throw new Error(`there is an account ${cloud.accountId} in ${cloud.region} already`);
    this.clouds.push(cloud);
  }

  of(accountId: string, region: string): Cloud | undefined {
    return this.clouds.find((cloud) => cloud.accountId === accountId && cloud.region === region);
  }

  /** Every account in a region. */
  in(region: string): Cloud[] {
    return this.clouds.filter((cloud) => cloud.region === region);
  }

  keysOf(accountId: string, make: () => Keys): Keys {
    const keys = this.keys.get(accountId) ?? make();
    this.keys.set(accountId, keys);
    return keys;
  }
}
