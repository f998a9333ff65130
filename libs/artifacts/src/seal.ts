import type { FileHandle } from 'node:fs/promises';
import { CorruptError } from './errors.js';
import type { ObjectFacts } from './objects.js';

/**
 * What stands behind the bytes of an object in its file: 8 bytes that name it, the count of the bytes before it (64 bits,
 * the highest first) and their SHA-256. In one file with them, because a second file could not be replaced in the same moment.
 */
export const SEAL_BYTES = 48;
const MARK = Buffer.from('BERTHOB1');

export function sealOf(bytes: number, sha256: string): Buffer {
  const seal = Buffer.alloc(SEAL_BYTES);
  MARK.copy(seal);
  seal.writeBigUInt64BE(BigInt(bytes), MARK.length);
  seal.write(sha256, MARK.length + 8, 'hex');
  return seal;
}

/** @throws {CorruptError} there is no seal, or it is of another length */
export async function readSeal(name: string, file: FileHandle): Promise<Required<ObjectFacts>> {
  const { size } = await file.stat();
  const seal = Buffer.alloc(SEAL_BYTES);
  const { bytesRead } = await file.read(seal, 0, SEAL_BYTES, Math.max(0, size - SEAL_BYTES));
  if (bytesRead < SEAL_BYTES || !seal.subarray(0, MARK.length).equals(MARK)) throw new CorruptError(name, 'the seal at the end of its file is missing');
  const bytes = Number(seal.readBigUInt64BE(MARK.length));
  if (bytes !== size - SEAL_BYTES) throw new CorruptError(name, `its file holds ${size - SEAL_BYTES} of the ${bytes} that were put`);
  return { bytes, sha256: seal.subarray(MARK.length + 8).toString('hex') };
}
