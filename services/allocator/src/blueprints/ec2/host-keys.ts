/** Best first: short and fast ones before those that old systems need. */
const TYPES = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa'];

/**
 * The host key that an instance printed on its console: cloud-init writes the public keys between these two lines
 * (cloud-init, module "Keys to console"). The last block counts: the one of the present boot.
 */
export function hostKeyOf(console: string): string | undefined {
  const block = [...console.matchAll(/-----BEGIN SSH HOST KEY KEYS-----([\s\S]*?)-----END SSH HOST KEY KEYS-----/g)].at(-1)?.[1];
  if (block === undefined) return undefined;
  // The kernel may print before a key on the same line, or into it; what is no whole key then is left out.
  const found = [...block.matchAll(/(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) (AAAA[A-Za-z0-9+/]+=*)/g)].flatMap(([, type = '', key = '']) => (isWhole(type, key) ? [{ type, key }] : []));
  for (const type of TYPES) {
    const first = found.find((entry) => entry.type === type);
    if (first !== undefined) return `${first.type} ${first.key}`;
  }
  return undefined;
}

/** Whether a key is what its type says, from its first byte to its last (RFC 4253, section 6.6: strings, each behind its length). */
function isWhole(type: string, key: string): boolean {
  const bytes = Buffer.from(key, 'base64');
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return false;
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return at === bytes.length && parts[0]?.toString('latin1') === type && parts.length === (type === 'ssh-ed25519' ? 2 : 3);
}
