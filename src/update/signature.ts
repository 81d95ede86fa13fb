/** Signatures of packages: Ed25519 (RFC 8032) over the bytes of the manifest, which names every other byte by its hash. */
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { SpillwayError } from '../errors.js';

export const SIGNATURE_BYTES = 64;

/** A private key in PEM, as `openssl genpkey -algorithm ed25519` writes it. Throws KEY_INVALID. */
export function readPrivateKey(pem: string | Buffer): KeyObject {
  return ed25519('private', () => createPrivateKey(pem));
}

/** A public key in PEM, as `openssl pkey -pubout` writes it. Throws KEY_INVALID. */
export function readPublicKey(pem: string | Buffer): KeyObject {
  // Of a private key Node would make the public one: whoever gives that here has mistaken one file for the other.
  if (String(pem).includes('PRIVATE KEY')) throw new SpillwayError('KEY_INVALID', 'it is a private key: a public one is needed to verify');
  return ed25519('public', () => createPublicKey(pem));
}

export function signed(manifest: Uint8Array, key: KeyObject): Uint8Array {
  return sign(null, manifest, key);
}

/** Which of the keys has signed it; null: none of them. */
export function signerOf(manifest: Uint8Array, signature: Uint8Array, keys: readonly KeyObject[]): KeyObject | null {
  return keys.find((key) => verify(null, manifest, key, signature)) ?? null;
}

/** What tells a key from others: the SHA-256 of its public form (SPKI, DER), in hex. */
export function fingerprintOf(key: KeyObject): string {
  const known = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(known.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function ed25519(kind: 'private' | 'public', read: () => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    // What Node says of it may repeat a part of it.
    throw new SpillwayError('KEY_INVALID', `it is no ${kind} key in PEM, or one with a passphrase`);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new SpillwayError('KEY_INVALID', `it is a key for ${key.asymmetricKeyType}: Ed25519 is needed`);
  return key;
}
