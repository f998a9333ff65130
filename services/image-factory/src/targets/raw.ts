import type { ImageTemplate } from '@berth/contracts';
import { artifact } from './artifacts.js';
import { bake, hostOf, planFaults, planOf, rootFaults, upload, type PlanStep } from './plan.js';
import { idOf, rootSettings, rootSteps } from './root.js';
import type { Building, TargetKind, TargetPlan } from './target.js';

/** Less holds no system. */
const MIN_MIB = { none: 256, uefi: 512 } as const;
/** What ext4 takes with blocks of 4 KiB. */
const MAX_MIB = 16 * 1024 * 1024;
/** The types of partitions that hold the root of a system, as systemd and others look for them. */
const ROOT_OF = { x86_64: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', aarch64: 'B921B045-1DF0-41C3-AF44-4C6F280D3FAE' } as const;

/** A disk boots unless its template says that it does not: who wants none that boots knows what for. */
const settingsOf = ({ targets: { raw } }: ImageTemplate) => ({ host: raw?.host ?? {}, size: raw?.size ?? '2GiB', boot: raw?.boot ?? 'uefi' });

function mebibytes(size: string): number {
  const [, count, unit] = /^(\d+)(MiB|GiB)$/.exec(size) ?? [];
  return Number(count) * (unit === 'GiB' ? 1024 : 1);
}

/** After the packages of the template, of which one may be its kernel, and before its files and commands, which may change all of it. */
const bootable = (steps: readonly PlanStep[]): PlanStep[] => steps.toSpliced(steps.findIndex(({ id }) => ['files', 'command-1', 'password', 'lock'].includes(id)), 0, bake('boot', 'Install what it boots with', 25));

function plan(building: Building): TargetPlan {
  const { template, image } = building;
  const { host, size, boot } = settingsOf(template);
  const { env, ...settings } = rootSettings(building);
  const disk = {
    BOOT: boot, SIZE: String(mebibytes(size)), FS_UUID: idOf(building, 'filesystem'), DISK_UUID: idOf(building, 'disk'), PARTITION_UUID: idOf(building, 'partition'), PARTITION_TYPE: ROOT_OF[template.os.arch],
    // What FAT has for an id is shorter.
    ...(boot === 'uefi' && { ESP_UUID: idOf(building, 'boot'), ESP_ID: idOf(building, 'boot').slice(0, 8).toUpperCase() }),
  };
  const steps = rootSteps(building);
  return planOf({ name: building.plan, description: `Builds the image ${image} as a disk.`, host: hostOf(host), env: { ...env, ...disk }, ...settings }, [...(boot === 'uefi' ? bootable(steps) : steps), bake('disk', 'Make the disk', 10), upload('keep-image', 'image.raw', 20)]);
}

/** A disk: GPT, and the system as ext4; before it what boots it by UEFI, unless the template wants none. */
export const raw: TargetKind = {
  begins: 'root',
  faults(template) {
    const { host, size, boot } = settingsOf(template);
    const least = MIN_MIB[boot];
    const mib = mebibytes(size);
    return [
      ...rootFaults(template),
      ...(mib < least || mib > MAX_MIB ? [{ field: 'targets.raw.size', message: `is ${size}: use ${least}MiB to ${MAX_MIB / 1024}GiB` }] : []),
      ...planFaults(template, host, 'targets.raw.host', () => plan({ image: template.name, revision: 1, template, plan: template.name }).source),
    ];
  },
  plan,
  made: (artifacts, template) => ({ object: artifact(artifacts, 'image.raw'), sbom: artifact(artifacts, 'sbom.spdx.json'), boot: settingsOf(template).boot }),
};
