/** ZIP, written as it comes; with a passphrase every file in it is encrypted with AES-256 (WinZip's AE-2). */
import type { ZipWriter } from '@zip.js/zip.js';
import type { Sink } from '../engine/types.js';
import type { Archive } from './archive.js';
import { loadZip } from './zip-module.js';

/** WinZip's number of AES-256. */
const AES_256 = 3;

/** The sink is neither finished nor aborted here. */
export async function zipArchive(sink: Sink, passphrase: string | null, modified: Date): Promise<Archive> {
  const { ZipWriter } = await loadZip();
  const writer: ZipWriter<unknown> = new ZipWriter(new WritableStream<Uint8Array>({ write: (bytes) => sink.write(bytes) }), {
    lastModDate: modified,
    // Only what the system of whoever opens it can do without.
    extendedTimestamp: false,
    ...(passphrase !== null && { password: passphrase, encryptionStrength: AES_256 }),
  });
  return {
    add: async (path, bytes) => {
      await writer.add(path, ReadableStream.from<Uint8Array>(bytes));
    },
    finish: async () => {
      await writer.close();
    },
  };
}
