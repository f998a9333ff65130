import type { ImageTemplate } from '@berth/contracts';
import { artifact } from './artifacts.js';
import { bake, hostOf, planFaults, planOf, rootFaults, upload } from './plan.js';
import { idOf, rootSettings, rootSteps } from './root.js';
import type { Building, TargetKind, TargetPlan } from './target.js';

/** Less holds no system. */
const MIN_MIB = 256;
/** What ext4 takes with blocks of 4 KiB. */
const MAX_MIB = 16 * 1024 * 1024;
/** The types of partitions that hold the root of a system, as systemd and others look for them. */
const ROOT_OF = { x86_64: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', aarch64: 'B921B045-1DF0-41C3-AF44-4C6F280D3FAE' } as const;

const settingsOf = ({ targets }: ImageTemplate) => targets.raw ?? { host: {}, size: '2GiB' };

function mebibytes(size: string): number {
  const [, count, unit] = /^(\d+)(MiB|GiB)$/.exec(size) ?? [];
  return Number(count) * (unit === 'GiB' ? 1024 : 1);
}

function plan(building: Building): TargetPlan {
  const { template, image } = building;
  const { host, size } = settingsOf(template);
  const { env, ...settings } = rootSettings(building);
  const disk = { SIZE: String(mebibytes(size)), FS_UUID: idOf(building, 'filesystem'), DISK_UUID: idOf(building, 'disk'), PARTITION_UUID: idOf(building, 'partition'), PARTITION_TYPE: ROOT_OF[template.os.arch] };
  return planOf({ name: building.plan, description: `Builds the image ${image} as a disk.`, host: hostOf(host), env: { ...env, ...disk }, ...settings }, [...rootSteps(building), bake('disk', 'Make the disk', 10), upload('keep-image', 'image.raw', 20)]);
}

/** A disk with one partition that holds the system: GPT, ext4. Without a boot loader, unless a command of the template installs one. */
export const raw: TargetKind = {
  begins: 'root',
  faults(template) {
    const { host, size } = settingsOf(template);
    const mib = mebibytes(size);
    return [
      ...rootFaults(template),
      ...(mib < MIN_MIB || mib > MAX_MIB ? [{ field: 'targets.raw.size', message: `is ${size}: use ${MIN_MIB}MiB to ${MAX_MIB / 1024}GiB` }] : []),
      ...planFaults(template, host, 'targets.raw.host', () => plan({ image: template.name, revision: 1, template, plan: template.name }).source),
    ];
  },
  plan,
  made: (artifacts) => ({ object: artifact(artifacts, 'image.raw'), sbom: artifact(artifacts, 'sbom.spdx.json') }),
};
