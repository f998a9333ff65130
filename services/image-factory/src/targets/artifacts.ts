import type { KeptFile } from '@berth/contracts';

/** An artifact of a build, of its last generation that has kept one. @throws Error in one sentence when it is not there, or empty */
export function artifact(artifacts: readonly KeptFile[], name: string): KeptFile {
  const found = artifacts.findLast((one) => one.name === name);
  if (!found) throw new Error(`the build has kept no ${name}`);
  if (found.bytes === 0) throw new Error(`the build has kept an empty ${name}`);
  const { object, bytes, sha256 } = found;
  return { name, object, bytes, sha256 };
}
