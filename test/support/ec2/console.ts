/**
 * What the serial console shows after the first boot: cloud-init writes the host keys between these markers so that
 * they can be read through the API (cloud-init, "write-ssh-key-fingerprints"). The fingerprints go through the system
 * log and carry its prefix, the keys do not. Real images show one line for each type of key; sshd has one here.
 */
export function consoleText(hostName: string, hostKey: { readonly publicKey: string; readonly fingerprint: string }): string {
  const rule = '#############################################################';
  const log = (text: string): string => `<14>Nov 21 09:00:00 cloud-init: ${text}`;
  return [
    `[    0.000000] Linux version 6.8.0-1018-aws (${hostName})`,
    '[    3.141592] cloud-init[512]: Cloud-init v. 24.4 running \'init\'',
    log(rule),
    log('-----BEGIN SSH HOST KEY FINGERPRINTS-----'),
    log(`256 ${hostKey.fingerprint} root@${hostName} (ED25519)`),
    log('-----END SSH HOST KEY FINGERPRINTS-----'),
    log(rule),
    '-----BEGIN SSH HOST KEY KEYS-----',
    `${hostKey.publicKey} root@${hostName}`,
    '-----END SSH HOST KEY KEYS-----',
    '[    9.265358] cloud-init[733]: Cloud-init v. 24.4 finished. Up 9.26 seconds',
    '',
    `${hostName} login: `,
  ].join('\r\n');
}
