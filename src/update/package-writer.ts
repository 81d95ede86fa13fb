/** Writes a package: the manifest, its signature, and every file of the release in the manifest's order. */
import { createHash, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { tarStream } from '../bundle/tar-stream.js';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import {
  FILES_PREFIX,
  idOf,
  MANIFEST_FORMAT,
  MANIFEST_NAME,
  parseManifest,
  SIGNATURE_NAME,
  type ReleaseFile,
  type ReleaseManifest,
} from './manifest.js';
import type { Release } from './release.js';
import { signed } from './signature.js';

export interface WritingOptions {
  release: Release;
  platform: string;
  architecture: string;
  createdMs: number;
  /** Null: it is not signed. */
  key: KeyObject | null;
  /** Neither finished nor aborted here. */
  sink: Sink;
  /** 0 to 1. */
  progress?: (done: number) => void;
  signal?: AbortSignal;
}

const PIECE_BYTES = 1 << 20;
const [PLAIN, EXECUTABLE] = [0o644, 0o755];

/** Resolves to its manifest. Rejects with PACKAGE_INVALID, FILE_CHANGED, or what the sink or the system reject with. */
export async function writePackage(options: WritingOptions): Promise<ReleaseManifest> {
  const { release, platform, architecture, createdMs, key, sink, progress = () => undefined, signal } = options;
  const { folder, version, node, paths } = release;
  const files: ReleaseFile[] = [];
  for (const path of paths) {
    signal?.throwIfAborted();
    files.push(await described(folder, path));
    progress((0.3 * files.length) / paths.length);
  }
  const facts = { name: 'spillway', version, platform, architecture, node, files };
  const bytes = Buffer.from(`${JSON.stringify({ format: MANIFEST_FORMAT, id: idOf(facts), ...facts, createdMs }, null, 1)}\n`);
  // What would not be taken is not made.
  const manifest = parseManifest(bytes);
  const tar = await tarStream(sink, new Date(createdMs));
  await tar.add({ path: MANIFEST_NAME, size: bytes.length, mode: PLAIN }, one(bytes));
  if (key) {
    const signature = signed(bytes, key);
    await tar.add({ path: SIGNATURE_NAME, size: signature.length, mode: PLAIN }, one(signature));
  }
  let done = 0;
  for (const file of files) {
    signal?.throwIfAborted();
    const mode = file.executable ? EXECUTABLE : PLAIN;
    await tar.add({ path: FILES_PREFIX + file.path, size: file.bytes, mode }, unchanged(folder, file));
    progress(0.3 + (0.7 * ++done) / files.length);
  }
  await tar.finish();
  return manifest;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function described(folder: string, path: string): Promise<ReleaseFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  let mode = 0;
  for await (const piece of piecesOf(join(folder, path), (found) => (mode = found))) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { path, bytes, sha256: hash.digest('hex'), executable: (mode & 0o100) !== 0 };
}

/** The file once more; throws FILE_CHANGED where it is another one now. */
async function* unchanged(folder: string, { path, bytes, sha256 }: ReleaseFile): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const piece of piecesOf(join(folder, path))) {
    hash.update(piece);
    length += piece.length;
    if (length > bytes) break;
    yield piece;
  }
  if (length !== bytes || hash.digest('hex') !== sha256) throw new SpillwayError('FILE_CHANGED', `${path} changed while the package was made`);
}

async function* piecesOf(path: string, tellMode: (mode: number) => void = () => undefined): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path);
  try {
    const { mode, size } = await file.stat();
    tellMode(mode);
    // Most are small.
    const length = Math.min(PIECE_BYTES, size + 1);
    for (;;) {
      const piece = Buffer.allocUnsafe(length);
      const { bytesRead } = await file.read(piece, 0, length, null);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
