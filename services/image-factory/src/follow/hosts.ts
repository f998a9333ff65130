import { bootedFrom, type LeaseEvent, type ResourceEvent } from '@berth/contracts';

/** What the factory must know of hosts: which were booted from what, and which instance is behind a lease. */
export class Hosts {
  /** live hosts by image and number of the version */
  private readonly booted = new Map<string, Set<string>>();
  /** versions that hosts were launched with; `test`: not because a channel pointed at them */
  private readonly launched = new Map<string, { version: string; test: boolean }>();
  /** image and number by host */
  private readonly from = new Map<string, string>();
  private readonly instances = new Map<string, string>();
  private readonly resources = new Map<string, string>();

  applyResource(id: string, event: ResourceEvent): void {
    switch (event.type) {
      case 'ResourceCreated':
      case 'ResourceActivated': {
        if (event.type === 'ResourceCreated' && event.data.booted) this.launched.set(id, { version: event.data.booted.version, test: event.data.booted.test === true });
        const { [bootedFrom.image]: image, [bootedFrom.version]: number } = event.data.attributes ?? {};
        if (image === undefined || number === undefined) return;
        this.forget(id);
        const key = keyOf(image, Number(number));
        this.from.set(id, key);
        this.booted.set(key, (this.booted.get(key) ?? new Set()).add(id));
        return;
      }
      case 'FactsKept': {
        const { instance } = event.data.facts;
        if (typeof instance === 'string') this.instances.set(id, instance);
        return;
      }
      case 'ResourceDestroyed':
        this.forget(id);
        this.instances.delete(id);
        this.launched.delete(id);
        return;
      default:
        return; // says nothing of what it was booted from
    }
  }

  applyLease(id: string, event: LeaseEvent): void {
    if (event.type === 'LeaseAcquired') this.resources.set(id, event.data.resource);
    else if (event.type === 'LeaseDestroyed') this.resources.delete(id);
  }

  private forget(id: string): void {
    const key = this.from.get(id);
    if (key === undefined) return;
    this.from.delete(id);
    const others = this.booted.get(key)!;
    others.delete(id);
    if (others.size === 0) this.booted.delete(key);
  }

  /** Is a live host booted from a version? */
  has(image: string, number: number): boolean {
    return this.booted.has(keyOf(image, number));
  }

  /** Was a live host launched with a version because a channel pointed at it? */
  follow(version: string): boolean {
    for (const launched of this.launched.values()) if (launched.version === version && !launched.test) return true;
    return false;
  }

  /** The version that the host was launched with that a lease holds; undefined: with none of ours. */
  launchedWith(lease: string): string | undefined {
    const resource = this.resources.get(lease);
    return resource === undefined ? undefined : this.launched.get(resource)?.version;
  }

  /** What the provider calls the host that a lease holds; undefined: it was not launched at one. */
  instanceOf(lease: string): string | undefined {
    const resource = this.resources.get(lease);
    return resource === undefined ? undefined : this.instances.get(resource);
  }
}

const keyOf = (image: string, number: number): string => `${image}@${number}`;
