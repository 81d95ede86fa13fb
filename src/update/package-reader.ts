/**
 * Reads a package as it comes, and believes nothing of it before it was proven: first the manifest and its signature, then each
 * file in its turn, held against its size and hash. What is not named in the manifest, or comes out of turn, ends it.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { satisfies, compare } from 'semver';
import { SpillwayError } from '../errors.js';
import { gunzipped } from './gunzip.js';
import { UPDATE_LIMITS } from './limits.js';
import { FILES_PREFIX, MANIFEST_NAME, parseManifest, SIGNATURE_NAME, type ReleaseFile, type ReleaseManifest } from './manifest.js';
import { fingerprintOf, SIGNATURE_BYTES, signerOf } from './signature.js';
import { TarReader, type TarEntry } from './tar-reader.js';

/** What a package has to be, to be taken. */
export interface Demands {
  /** One of them has to have signed it; none: signatures are not looked at. */
  keys: readonly KeyObject[];
  /** The machine that it is for; missing: any. */
  platform?: string;
  architecture?: string;
  /** Of the Node that is to run it; missing: any. */
  node?: string;
  /** Older ones are refused; null: none is. */
  leastVersion?: string | null;
}

export interface Proven {
  manifest: ReleaseManifest;
  /** It has a signature; whose, and whether it is one of this manifest, is not said by that. */
  isSigned: boolean;
  /** SHA-256 of the key that signed it, one of the demands; null: there were no keys. */
  signer: string | null;
  /** The same with other keys: they may have changed while it came. Throws PACKAGE_UNSIGNED or PACKAGE_TAMPERED. */
  signerAmong: (keys: readonly KeyObject[]) => string | null;
}

/** Takes a file that is proven up to its last byte: `bytes` throws there where it is not, and what was taken of it is of no use. */
export type Take = (file: ReleaseFile, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/** This machine's, for `Demands`. */
export const HERE = { platform: process.platform, architecture: process.arch, node: process.versions.node } as const;

const invalid = (why: string): SpillwayError => new SpillwayError('PACKAGE_INVALID', why);
const tampered = (why: string): SpillwayError => new SpillwayError('PACKAGE_TAMPERED', why);

/**
 * `demands` null: it is only looked at whether it is whole, and what it says. Rejects with a PACKAGE_ code, or with what `bytes` or
 * `take` reject with.
 */
export async function readPackage(bytes: AsyncIterable<Uint8Array>, demands: Demands | null, take: Take = drain): Promise<Proven> {
  const tar = new TarReader(gunzipped(bytes, UPDATE_LIMITS.packageBytes));
  try {
    let entry = await tar.next();
    if (entry?.name !== MANIFEST_NAME) throw invalid('it is no package of a release: it does not begin with its manifest');
    const text = await whole(tar, entry, UPDATE_LIMITS.manifestBytes);
    entry = await tar.next();
    let signature: Uint8Array | null = null;
    if (entry?.name === SIGNATURE_NAME) {
      signature = await whole(tar, entry, SIGNATURE_BYTES);
      entry = await tar.next();
    }
    // Before anything is believed of it: who made it.
    const signerAmong = (keys: readonly KeyObject[]): string | null => proveSigner(text, signature, keys);
    const signer = demands === null ? null : signerAmong(demands.keys);
    const manifest = parseManifest(text);
    if (demands !== null) check(manifest, demands);
    for (const file of manifest.files) {
      if (entry === null) throw invalid(`the package was cut: ${file.path} is missing`);
      if (entry.name !== FILES_PREFIX + file.path) throw tampered(`${shown(entry)} comes where the manifest has ${file.path}`);
      mustBeFile(entry);
      if (entry.bytes !== file.bytes) throw tampered(`${file.path} has ${entry.bytes} bytes, and in the manifest ${file.bytes}`);
      const proof = new Proof(file, tar.bytes());
      await take(file, proof.bytes());
      if (!proof.isWhole) throw new SpillwayError('INTERNAL', `${file.path} was not read to its end, so that it is not proven`);
      entry = await tar.next();
    }
    if (entry !== null) throw tampered(`${shown(entry)} is not in the manifest`);
    return { manifest, isSigned: signature !== null, signer, signerAmong };
  } finally {
    await tar.close();
  }
}

function proveSigner(text: Uint8Array, signature: Uint8Array | null, keys: readonly KeyObject[]): string | null {
  if (keys.length === 0) return null;
  if (signature === null) throw new SpillwayError('PACKAGE_UNSIGNED', 'the package is not signed, and only signed ones are taken');
  const key = signerOf(text, signature, keys);
  if (key === null) throw tampered('none of the keys that are known has signed the package, or its manifest was changed');
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

const shown = ({ name }: TarEntry): string => JSON.stringify(name);

function mustBeFile(entry: TarEntry): void {
  if (!entry.isFile) throw tampered(`${shown(entry)} is no regular file`);
}

/** The bytes of a file, up to the last of which it is not known whether they are. */
class Proof {
  isWhole = false;

  constructor(
    private readonly file: ReleaseFile,
    private readonly source: AsyncIterable<Uint8Array>,
  ) {}

  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    const hash = createHash('sha256');
    for await (const piece of this.source) {
      hash.update(piece);
      yield piece;
    }
    const { path, sha256 } = this.file;
    if (hash.digest('hex') !== sha256) throw tampered(`${path} is not the file that the manifest names: its SHA-256 is another`);
    this.isWhole = true;
  }
}

const drain: Take = async (_, bytes) => {
  for await (const piece of bytes) void piece;
};

async function whole(tar: TarReader, entry: TarEntry, maxBytes: number): Promise<Uint8Array> {
  mustBeFile(entry);
  if (entry.bytes > maxBytes) throw invalid(`${entry.name} of the package is larger than ${maxBytes} bytes`);
  const pieces: Uint8Array[] = [];
  for await (const piece of tar.bytes()) pieces.push(piece);
  return Buffer.concat(pieces);
}
