import type { BlueprintKind, BlueprintSpec } from '@berth/contracts';
import type { DerivedBlueprint, Launcher } from './blueprint.js';
import { ec2 } from './ec2/index.js';
import { local } from './local.js';
import { preallocated } from './preallocated.js';
import { service } from './service.js';
import { workingCopy } from './working-copy.js';

/** Hosts that are there already: one file, one line. */
export const found = { preallocated, local } as const;

/** What launches hosts: one file, one line. */
export const launchers: Readonly<Partial<Record<BlueprintKind, Launcher<never>>>> = { ec2: ec2 as Launcher<never> };

/** What is made on a leased host: one file, one line. */
export const derived = { 'working-copy': workingCopy, service } as const satisfies Partial<Record<BlueprintKind, DerivedBlueprint<never>>>;

export const isDerived = (kind: string): kind is keyof typeof derived => Object.hasOwn(derived, kind);
export const launches = (spec: BlueprintSpec): boolean => launchers[spec.kind] !== undefined;
