/** Packages of releases that hold next to nothing. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePackage } from '../../src/update/package-writer.js';
import { MemorySink } from '../bundle/packages.js';

export interface SomePackage {
  version?: string;
  key?: KeyObject | null;
  createdMs?: number;
  architecture?: string;
  /** Of what its one large file holds. */
  content?: Uint8Array;
}

/** The file of a package. */
export async function somePackage({
  version = '0.2.0',
  key = null,
  createdMs = 1,
  architecture = 'x64',
  content,
}: SomePackage = {}): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-release-'));
  try {
    writeFileSync(join(folder, 'a'), content ?? `release ${version}`);
    writeFileSync(join(folder, 'b'), '');
    const sink = new MemorySink();
    await writePackage({ release: { folder, version, node: '>=20', paths: ['a', 'b'] }, platform: 'linux', architecture, createdMs, key, sink });
    return sink.bytes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function keyPair(): { key: KeyObject; pem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { key: privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

/** Bytes as they may come: in pieces of a length. */
export async function* inPieces(bytes: Uint8Array, length = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
