/**
 * Reads a package as it comes, and believes nothing of it before it was proven: first the manifest and its signature, then each
 * file in its turn, held against its size and hash. What is not named in the manifest, or comes out of turn, ends it.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream';
import { satisfies, compare } from 'semver';
import { SpillwayError } from '../errors.js';
import { UPDATE_LIMITS } from './limits.js';
import { FILES_PREFIX, MANIFEST_NAME, parseManifest, SIGNATURE_NAME, type ReleaseFile, type ReleaseManifest } from './manifest.js';
import { fingerprintOf, SIGNATURE_BYTES, signerOf } from './signature.js';

/** What a package has to be, to be taken. */
export interface Demands {
  /** One of them has to have signed it; none: signatures are not looked at. */
  keys: readonly KeyObject[];
  /** The machine that it is for; missing: any. */
  platform?: string;
  architecture?: string;
  /** Of the Node that is to run it. */
  node?: string;
  /** Older ones are refused; null: none is. */
  leastVersion?: string | null;
}

export interface Proven {
  manifest: ReleaseManifest;
  /** SHA-256 of the key that signed it; null: no keys were given, or it has no signature. */
  signer: string | null;
  isSigned: boolean;
}

/** Takes a file that is proven up to its last byte: `bytes` throws there where it is not, and what was taken of it is of no use. */
export type Take = (file: ReleaseFile, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/** This machine's, for `Demands`. */
export const HERE = { platform: process.platform, architecture: process.arch, node: process.versions.node } as const;

const invalid = (why: string): SpillwayError => new SpillwayError('PACKAGE_INVALID', why);
const tampered = (why: string): SpillwayError => new SpillwayError('PACKAGE_TAMPERED', why);

interface Entry {
  header: { name: string; size: number; type?: string | undefined };
  body: ReadableStream<Uint8Array>;
}

/** `demands` null: it is only looked at whether it is whole, and what it says. Rejects with a PACKAGE_ code. */
export async function readPackage(bytes: AsyncIterable<Uint8Array>, demands: Demands | null, take: Take = drain): Promise<Proven> {
  const entries = entriesOf(bytes);
  try {
    const first = await next(entries);
    if (first?.header.name !== MANIFEST_NAME) throw invalid('it is no package of a release: it does not begin with its manifest');
    const text = await whole(first, UPDATE_LIMITS.manifestBytes);
    let entry = await next(entries);
    let signature: Uint8Array | null = null;
    if (entry?.header.name === SIGNATURE_NAME) {
      signature = await whole(entry, SIGNATURE_BYTES);
      entry = await next(entries);
    }
    // Before anything is believed of it: who made it.
    const signer = demands === null ? null : proveSigner(text, signature, demands.keys);
    const manifest = parseManifest(text);
    if (demands !== null) check(manifest, demands);
    for (const file of manifest.files) {
      if (entry === null) throw invalid(`it was cut: ${file.path} is missing`);
      if (entry.header.name !== FILES_PREFIX + file.path) throw tampered(`${shown(entry)} comes where the manifest has ${file.path}`);
      if (entry.header.size !== file.bytes) throw tampered(`${file.path} has ${entry.header.size} bytes, and in the manifest ${file.bytes}`);
      await take(file, proven(file, entry.body));
      entry = await next(entries);
    }
    if (entry !== null) throw tampered(`${shown(entry)} is not in the manifest`);
    return { manifest, signer, isSigned: signature !== null };
  } finally {
    await entries.return(undefined);
  }
}

function proveSigner(text: Uint8Array, signature: Uint8Array | null, keys: readonly KeyObject[]): string | null {
  if (keys.length === 0) return null;
  if (signature === null) throw new SpillwayError('PACKAGE_UNSIGNED', 'the package is not signed, and only signed ones are taken');
  const key = signature.length === SIGNATURE_BYTES ? signerOf(text, signature, keys) : null;
  if (key === null) throw tampered('the signature of the package is not one of the keys that are known, or the manifest was changed');
  return fingerprintOf(key);
}

function check({ platform, architecture, node, version }: ReleaseManifest, demands: Demands): void {
  const { platform: ownPlatform = platform, architecture: ownArchitecture = architecture, leastVersion = null } = demands;
  if (platform !== ownPlatform || architecture !== ownArchitecture)
    throw new SpillwayError(
      'PACKAGE_ARCHITECTURE',
      `the package is for ${platform} on ${architecture}, and this is ${ownPlatform} on ${ownArchitecture}`,
    );
  if (demands.node !== undefined && !satisfies(demands.node, node))
    throw new SpillwayError('PACKAGE_NODE', `the package runs on Node ${node}, and this is ${demands.node}`);
  if (leastVersion !== null && compare(version, leastVersion) < 0)
    throw new SpillwayError('PACKAGE_TOO_OLD', `the package is of version ${version}, and nothing before ${leastVersion} is taken`);
}

const shown = ({ header }: Entry): string => JSON.stringify(header.name.slice(0, 100));

async function* proven({ path, bytes, sha256 }: ReleaseFile, body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const piece of body) {
    hash.update(piece);
    length += piece.length;
    yield piece;
  }
  if (length !== bytes) throw invalid(`it was cut: ${path} ends after ${length} of ${bytes} bytes`);
  if (hash.digest('hex') !== sha256) throw tampered(`${path} is not the file that the manifest names: its SHA-256 is another`);
}

const drain: Take = async (_, bytes) => {
  for await (const piece of bytes) void piece;
};

async function whole({ header: { name, size }, body }: Entry, max: number): Promise<Uint8Array> {
  if (size > max) throw invalid(`its ${name} is larger than ${max} bytes`);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

type Entries = AsyncGenerator<Entry, void, undefined>;

async function next(entries: Entries): Promise<Entry | null> {
  const { value, done } = await entries.next();
  if (done === true) return null;
  const { type = 'file' } = value.header;
  if (type !== 'file') throw tampered(`${shown(value)} is no file: it is a ${type}`);
  return value;
}

async function* entriesOf(bytes: AsyncIterable<Uint8Array>): Entries {
  const { createTarDecoder } = await import('modern-tar');
  const gunzip = createGunzip();
  const { Readable } = await import('node:stream');
  // Its errors come out of `gunzip`.
  pipeline(Readable.from(bytes, { objectMode: false }), gunzip, () => undefined);
  const decoder = createTarDecoder({ strict: true });
  const fed = ReadableStream.from<Uint8Array>(gunzip as AsyncIterable<Uint8Array>).pipeTo(decoder.writable as WritableStream<Uint8Array>);
  fed.catch(() => undefined);
  try {
    for await (const entry of decoder.readable) yield entry as Entry;
    await fed;
  } catch (error) {
    if (error instanceof SpillwayError) throw error;
    throw invalid(`it is damaged, or no package: ${(error as Error).message}`);
  } finally {
    gunzip.destroy();
  }
}
