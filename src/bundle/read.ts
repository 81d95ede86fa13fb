/** Packages read back: whether they are whole and as their manifest says, and without their encryption. */
import { createHash } from 'node:crypto';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { MANIFEST_FILE, MANIFEST_FORMAT, README_FILE, type Manifest } from './manifest.js';
import { invalid, openArchive } from './read-archive.js';
import { zipArchive } from './zip.js';

/** Two hundred entries are some ten kilobytes each with a long note. */
const MANIFEST_BYTES_MAX = 2 << 20;

export interface InspectedFile {
  path: string;
  /** Null: it is encrypted, and no passphrase was given. */
  bytes: number | null;
  sha256: string | null;
}

export interface Inspection {
  format: 'zip' | 'tar.gz';
  isEncrypted: boolean;
  files: InspectedFile[];
  /** Null: it could not be read without a passphrase, or there is none. */
  manifest: Manifest | null;
  /** What does not agree with the manifest, a sentence each. */
  problems: string[];
}

/**
 * Reads a package wholly. Without the passphrase of an encrypted one its files are listed, no more. Rejects with FILE_NOT_FOUND,
 * FILE_FAILED, BUNDLE_INVALID or BUNDLE_PASSPHRASE.
 */
export async function inspectBundle(path: string, passphrase: string | null): Promise<Inspection> {
  const archive = await openArchive(path, passphrase);
  try {
    const files: InspectedFile[] = [];
    let text: string | null = null;
    for await (const { path: name, bytes } of archive.files) {
      if (bytes === null) {
        files.push({ path: name, bytes: null, sha256: null });
        continue;
      }
      const hash = createHash('sha256');
      const kept: Uint8Array[] = [];
      let size = 0;
      for await (const part of bytes) {
        size += part.length;
        hash.update(part);
        if (name === MANIFEST_FILE && size <= MANIFEST_BYTES_MAX) kept.push(Buffer.from(part));
      }
      files.push({ path: name, bytes: size, sha256: hash.digest('hex') });
      if (name === MANIFEST_FILE) text = Buffer.concat(kept).toString();
    }
    const { format, isEncrypted } = archive;
    if (isEncrypted && passphrase === null) return { format, isEncrypted, files, manifest: null, problems: [] };
    if (text === null) throw invalid(`it has no ${MANIFEST_FILE}`);
    const manifest = manifestOf(text);
    return { format, isEncrypted, files, manifest, problems: disagreements(manifest, files) };
  } finally {
    await archive.close();
  }
}

/** Writes the same files as a ZIP archive without a passphrase. The sink is neither finished nor aborted here. */
export async function decryptBundle(path: string, passphrase: string, sink: Sink): Promise<void> {
  const archive = await openArchive(path, passphrase);
  try {
    if (!archive.isEncrypted) throw new SpillwayError('REQUEST_INVALID', `${path} is not encrypted`);
    let plain: Awaited<ReturnType<typeof zipArchive>> | undefined;
    for await (const { path: name, modified, bytes } of archive.files) {
      plain ??= await zipArchive(sink, null, modified);
      await plain.add(name, bytes!);
    }
    await plain?.finish();
  } finally {
    await archive.close();
  }
}

function manifestOf(text: string): Manifest {
  const manifest = parsed(text) as Partial<Manifest> | null;
  if (manifest?.format !== MANIFEST_FORMAT) throw invalid(`its ${MANIFEST_FILE} is none of a diagnostic package that is known here`);
  const { about, wish, entries } = manifest;
  const areEntries =
    Array.isArray(entries) &&
    entries.every(
      (each: unknown) =>
        typeof each === 'object' && each !== null && 'name' in each && typeof each.name === 'string' && 'file' in each && 'sha256' in each,
    );
  if (!areEntries || typeof about?.createdMs !== 'number' || !Array.isArray(wish?.sections)) throw invalid(`its ${MANIFEST_FILE} is damaged`);
  return manifest as Manifest;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function disagreements({ entries }: Manifest, files: readonly InspectedFile[]): string[] {
  const there = new Map(files.map((file) => [file.path, file]));
  const listed = new Set([MANIFEST_FILE, README_FILE, ...entries.map(({ file }) => file)]);
  return [
    ...entries.flatMap(({ file, sha256 }) => {
      if (file === null) return [];
      if (!there.has(file)) return [`${file} is missing`];
      return there.get(file)!.sha256 === sha256 ? [] : [`${file} is not as it was written: its SHA-256 differs`];
    }),
    ...files.filter(({ path }) => !listed.has(path)).map(({ path }) => `${path} is not in the manifest`),
    ...files.filter(({ path }, at) => files.findIndex((other) => other.path === path) < at).map(({ path }) => `${path} is there twice`),
  ];
}
