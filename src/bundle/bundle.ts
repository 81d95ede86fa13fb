/** A package: what the collectors of a wish give, redacted, in one archive with a manifest. */
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { BUNDLE_BYTES_MAX, FILE_BYTES_MAX, type Archive } from './archive.js';
import type { BundleWish, Collector } from './collector.js';
import { MANIFEST_FILE, MANIFEST_FORMAT, readme, README_FILE, type BundleAbout, type Manifest, type ManifestEntry } from './manifest.js';
import { CollectedFile } from './one-file.js';
import { tarArchive } from './tar.js';
import { zipArchive } from './zip.js';

export const BUNDLE_FORMATS = ['zip', 'tar.gz'] as const;
export type BundleFormat = (typeof BUNDLE_FORMATS)[number];

export interface BundleOptions {
  collectors: readonly Collector[];
  wish: BundleWish;
  format: BundleFormat;
  /** Encrypts every file; ZIP alone can. */
  passphrase: string | null;
  /** Neither finished nor aborted here. */
  sink: Sink;
  about: BundleAbout;
  signal: AbortSignal;
  /** `done`: 0 to 1. */
  progress?: (done: number, step: string) => void;
}

/**
 * Runs the collectors one after another and writes the package. A collector that fails leaves a note in the manifest. Rejects
 * with CANCELLED, or with what the sink rejects with.
 */
export async function writeBundle(options: BundleOptions): Promise<Manifest> {
  const { wish, about, signal, progress } = options;
  const archive = await archiveOf(options);
  const asked = options.collectors.filter(({ section }) => section === null || wish.sections.includes(section));
  const manifest: Manifest = { format: MANIFEST_FORMAT, about, wish, entries: [] };
  let left = BUNDLE_BYTES_MAX;
  try {
    for (const [at, collector] of asked.entries()) {
      signal.throwIfAborted();
      progress?.(at / asked.length, collector.about);
      const entry = await collected(archive, collector, options, left);
      left -= entry.bytes;
      manifest.entries.push(entry);
    }
    signal.throwIfAborted();
    progress?.(1, 'manifest');
    await archive.add(README_FILE, whole(readme(manifest)));
    await archive.add(MANIFEST_FILE, whole(`${JSON.stringify(manifest, null, 2)}\n`));
    await archive.finish();
  } catch (error) {
    if (signal.aborted) throw new SpillwayError('CANCELLED', 'the package was cancelled');
    throw error;
  }
  return manifest;
}

function archiveOf({ format, sink, passphrase, about: { createdMs } }: BundleOptions): Promise<Archive> {
  if (format === 'zip') return zipArchive(sink, passphrase, new Date(createdMs));
  if (passphrase !== null) throw new SpillwayError('REQUEST_INVALID', 'only a ZIP archive can have a passphrase');
  return tarArchive(sink, new Date(createdMs));
}

async function collected(archive: Archive, collector: Collector, { wish, signal }: BundleOptions, left: number): Promise<ManifestEntry> {
  const maxBytes = Math.min(collector.maxBytes, FILE_BYTES_MAX, left);
  const file = new CollectedFile(collector, maxBytes, signal);
  const bytes = file.bytes(wish.verbosity);
  // A file begins with its first bytes: one that has none is left out.
  const first = await bytes.next();
  if (first.done === true) return file.entry(false);
  await archive.add(collector.file, rest(first.value, bytes, signal));
  return file.entry(true);
}

async function* rest(first: Uint8Array, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  yield* bytes;
  signal.throwIfAborted();
}

async function* whole(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(text);
}
