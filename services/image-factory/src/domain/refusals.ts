import { rejected, type FieldError, type Refusal, type RefusalCode } from '@berth/contracts';
import type { Image, Version } from './image.js';

/** A refusal that names one field of the command. */
export const refuse = (code: RefusalCode, message: string, field: string, fix: string): Refusal => rejected(code, message, [{ field: `data.${field}`, message: fix }]);
export const refuseAll = (code: RefusalCode, message: string, errors: readonly FieldError[]): Refusal => rejected(code, message, [...errors]);
export const isRefusal = (of: unknown): of is Refusal => typeof of === 'object' && of !== null && 'accepted' in of;

export const unknownImage = (image: string): Refusal => refuse('unknown-image', `There is no image ${image}.`, 'image', 'is not the name of an image: see `berth image list`');
export const unknownVersion = (version: string): Refusal => refuse('unknown-version', `There is no version ${version} of an image.`, 'version', 'is not the id of a version: see `berth image list --versions`');
export const unknownChannel = (image: string, channel: string): Refusal => refuse('unknown-channel', `Image ${image} has no channel ${channel}.`, 'channel', `is not a channel of it: see \`berth image channel list ${image}\``);

/** A version that is there, and is not being removed. */
export function known(image: Image, id: string): Version | Refusal {
  const version = image.versions.get(id);
  if (!version) return unknownVersion(id);
  if (version.deletion === 'DELETED') return refuse('version-deleted', `Version ${version.number} was removed.`, 'version', 'was removed: take another one');
  return version;
}
/** The same, and it stays. */
export function staying(image: Image, id: string): Version | Refusal {
  const version = known(image, id);
  if (isRefusal(version) || version.deletion === undefined) return version;
  return refuse('version-deleted', `Version ${version.number} is being removed.`, 'version', 'is being removed: take another one');
}
