/** Packages in tests: collectors that give what they are told, and what is inside of the archive that comes out. */
import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { BlobReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { unpackTar } from 'modern-tar';
import type { BundleOptions } from '../../src/bundle/bundle.js';
import { writeBundle } from '../../src/bundle/bundle.js';
import type { Collector } from '../../src/bundle/collector.js';
import type { Manifest } from '../../src/bundle/manifest.js';
import type { Sink } from '../../src/engine/types.js';

export class MemorySink implements Sink {
  readonly parts: Buffer[] = [];
  write(bytes: Uint8Array): Promise<void> {
    this.parts.push(Buffer.from(bytes));
    return Promise.resolve();
  }
  finish = (): Promise<void> => Promise.resolve();
  abort = (): Promise<void> => Promise.resolve();
  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

export const ABOUT = { version: '0.1.0', serial: 'S1', device: 'probe', createdMs: Date.UTC(2026, 10, 22) };

export function collector(file: string, collect: Collector['collect'], more: Partial<Collector> = {}): Collector {
  return { name: file.replace(/\W/g, '-'), section: null, file, about: `what ${file} holds`, maxBytes: 1 << 20, maxMs: 5000, collect, ...more };
}

export async function* lines(...text: string[]): AsyncGenerator<string> {
  yield* text;
}

/** A package in memory. */
export async function packed(collectors: readonly Collector[], more: Partial<BundleOptions> = {}): Promise<{ manifest: Manifest; bytes: Buffer }> {
  const sink = new MemorySink();
  const options = { wish: { verbosity: 'base', sections: [] }, format: 'zip', passphrase: null, about: ABOUT } as const;
  const manifest = await writeBundle({ ...options, sink, signal: new AbortController().signal, ...more, collectors });
  return { manifest, bytes: sink.bytes };
}

/** The files of an archive. */
export async function unpacked(bytes: Buffer, passphrase: string | null = null): Promise<Map<string, Buffer>> {
  if (bytes[0] === 0x1f) {
    const entries = await unpackTar(gunzipSync(bytes));
    return new Map(entries.map(({ header, data }) => [header.name, Buffer.from(data ?? [])]));
  }
  const reader = new ZipReader(new BlobReader(new Blob([new Uint8Array(bytes)])), { useWebWorkers: false });
  const files = new Map<string, Buffer>();
  for (const entry of await reader.getEntries()) {
    if (entry.directory) continue;
    const data = await entry.getData(new Uint8ArrayWriter(), passphrase === null ? {} : { password: passphrase });
    files.set(entry.filename, Buffer.from(data));
  }
  return files;
}

/** Runs a program to its end: its exit code and all that it wrote. */
export function tool(program: string, ...args: string[]): { exit: number | null; out: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return { exit: status, out: `${stdout}${stderr}` };
}
