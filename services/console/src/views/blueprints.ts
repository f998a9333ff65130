import { blueprintKinds, builtInBlueprints, unreachable, type AnyRecorded, type BlueprintEvent, type BlueprintKind, type BlueprintSpec, type ResourceType } from '@berth/contracts';
import type { BlueprintView } from '@berth/client';
import { countSlots } from './capacity.js';
import { byName, resourceView, type ResourceRow } from './resources.js';

/** What is kept of a blueprint: how it is set, and how its launches go. */
interface BlueprintRow {
  spec: BlueprintSpec;
  version: number;
  saved: string | null;
  disabledReason: string | null;
  breaker: BlueprintView['breaker'];
  lastFailure: BlueprintView['lastFailure'];
  /** by offer */
  refused: Map<string, BlueprintView['refusedOffers'][number]>;
}

const fresh = (spec: BlueprintSpec): BlueprintRow => ({ spec, version: 0, saved: null, disabledReason: null, breaker: null, lastFailure: null, refused: new Map() });

/** What an hour of a resource of a blueprint cost, from one instant to another; null = from ever, or for ever. */
export interface PricePeriod {
  blueprint: string;
  since: string | null;
  till: string | null;
  perHour: number;
  currency: string;
}

/** Blueprints, folded from their events. Those that are built in are there without any. */
export class Blueprints {
  private readonly rows = new Map<string, BlueprintRow>();
  /** by blueprint, also of those that are gone: each price from when it held until the next one, or none, did */
  private readonly priced = new Map<string, PricePeriod[]>();

  constructor() {
    for (const spec of Object.values(builtInBlueprints)) this.rows.set(spec.name, fresh(spec));
  }

  apply({ id, commit }: Extract<AnyRecorded, { kind: 'blueprint' }>): void {
    for (const event of commit.events) this.applyOne(id, commit.at, event);
  }

  private applyOne(name: string, at: string, event: BlueprintEvent): void {
    if (event.type === 'BlueprintSaved') {
      const { spec, version } = event.data;
      const row = this.rows.get(name) ?? fresh(spec);
      // Another version may do better: what was refused to the one before is asked for again.
      this.rows.set(name, { ...row, spec, version, saved: at, lastFailure: null, refused: new Map() });
      this.reprice(name, at, spec.price);
      return;
    }
    const row = this.rows.get(name);
    if (!row) return;
    switch (event.type) {
      case 'BlueprintEnabled':
        row.disabledReason = null;
        return;
      case 'BlueprintDisabled':
        row.disabledReason = event.data.reason;
        return;
      case 'BlueprintRemoved':
        this.rows.delete(name);
        this.reprice(name, at, undefined);
        if (Object.hasOwn(builtInBlueprints, name)) this.rows.set(name, fresh(builtInBlueprints[name as keyof typeof builtInBlueprints]));
        return;
      case 'LaunchSucceeded':
        // One of another version says nothing of what failed.
        if (!event.data.apart) row.lastFailure = null;
        return;
      case 'LaunchFailed': {
        const { resource, fault, error, offer } = event.data;
        row.lastFailure = { resource, fault, error, offer: offer ?? null, at };
        return;
      }
      case 'OfferRefused': {
        const { offer, fault, error, until } = event.data;
        row.refused.set(offer, { offer, fault, error, until });
        return;
      }
      case 'BreakerOpened': {
        const { until, reason, failures } = event.data;
        row.breaker = { until, reason, failures };
        return;
      }
      case 'BreakerClosed':
        row.breaker = null;
        return;
      default:
        unreachable(event);
    }
  }

  kind(name: string): BlueprintKind | undefined {
    return this.rows.get(name)?.spec.kind;
  }

  type(name: string): ResourceType | undefined {
    const kind = this.kind(name);
    return kind && blueprintKinds[kind].type;
  }

  private reprice(name: string, at: string, price: BlueprintSpec['price']): void {
    const periods = this.priced.get(name) ?? [];
    const last = periods.at(-1);
    const holds = last?.till === null ? last : undefined;
    if (holds?.perHour === price?.perHour && holds?.currency === price?.currency) return;
    if (holds) holds.till = at;
    if (price) this.priced.set(name, [...periods, { blueprint: name, since: at, till: null, ...price }]);
  }

  /** What hours of resources cost and have cost. */
  prices(): PricePeriod[] {
    return [...this.priced.values()].flat();
  }

  enabled(name: string): boolean {
    return this.rows.get(name)?.disabledReason === null;
  }

  names(): string[] {
    return [...this.rows.keys()].sort();
  }

  /** One with the resources that it has made. */
  get(name: string, resources: readonly ResourceRow[], now: number): BlueprintView | undefined {
    const row = this.rows.get(name);
    if (!row) return undefined;
    const { spec, version, saved, disabledReason, breaker, lastFailure } = row;
    const { type, answersTo } = blueprintKinds[spec.kind];
    const slots = countSlots(resources, now);
    return {
      name, kind: spec.kind, type, answersTo, description: spec.description, version, saved, enabled: disabledReason === null, disabledReason, breaker,
      refusedOffers: [...row.refused.values()].filter(({ until }) => Date.parse(until) > now), lastFailure,
      attributes: spec.attributes, spec, free: slots.free, busy: slots.busy, slots,
      resources: resources.map((resource) => resourceView(resource, now)).sort(byName),
    };
  }
}
