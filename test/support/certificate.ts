import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate and its key, as files hold them. */
export interface Certificate {
  certificate: string;
  key: string;
}

/** An authority of a test's own, and what it signs for this machine. */
export interface Authority extends Certificate {
  issue(name: string): Certificate;
}

// DER: a tag, a length, and what is in it.
const der = (tag: number, ...content: Uint8Array[]): Buffer => {
  const body = Buffer.concat(content);
  const length = body.length < 0x80 ? [body.length] : body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const integer = (bytes: Uint8Array) => der(0x02, bytes);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const octets = (content: Uint8Array) => der(0x04, content);
const YES = Buffer.from([0x01, 0x01, 0xff]);

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const nameOf = (text: string) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))));
const time = (date: Date) => der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));
const basicConstraints = sequence(oid('551d13'), YES, octets(sequence(YES)));
/** 127.0.0.1 and localhost. */
const thisMachine = sequence(oid('551d11'), octets(sequence(der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from('localhost')))));

function certificate(subject: string, publicKey: KeyObject, issuer: string, issuerKey: KeyObject, extension: Buffer): string {
  const now = Date.now();
  const signed = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.from([1, ...randomBytes(8)])),
    ECDSA_SHA256,
    nameOf(issuer),
    sequence(time(new Date(now - 86_400_000)), time(new Date(now + 86_400_000))),
    nameOf(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(extension)),
  );
  const whole = sequence(signed, ECDSA_SHA256, der(0x03, Buffer.from([0]), sign('sha256', signed, issuerKey)));
  return `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }) as string;

/** A new authority, good for a day: Node can check certificates and not make them, and openssl is not everywhere. */
export function newAuthority(name: string): Authority {
  const own = newKey();
  return {
    certificate: certificate(name, own.publicKey, name, own.privateKey, basicConstraints),
    key: pem(own.privateKey),
    issue(subject) {
      const key = newKey();
      return { certificate: certificate(subject, key.publicKey, name, own.privateKey, thisMachine), key: pem(key.privateKey) };
    },
  };
}
