/** Archives that come from elsewhere: recognised by their content, read file by file, and bounded, whatever they say of themselves. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { Entry } from '@zip.js/zip.js';
import { SpillwayError } from '../errors.js';
import { BUNDLE_BYTES_MAX, FILE_BYTES_MAX, FILES_MAX } from './archive.js';
import { loadZip } from './zip-module.js';

/** A package is smaller than what is in it, or hardly larger. */
const ARCHIVE_BYTES_MAX = 2 * BUNDLE_BYTES_MAX;

export interface ArchivedFile {
  path: string;
  modified: Date;
  /** Null: it is encrypted, and no passphrase was given. */
  bytes: AsyncIterable<Uint8Array> | null;
}

export interface OpenArchive {
  format: 'zip' | 'tar.gz';
  isEncrypted: boolean;
  /** Each file's bytes are read, wholly, before the next is asked for. */
  files: AsyncIterable<ArchivedFile>;
  close(): Promise<void>;
}

export const invalid = (why: string): SpillwayError => new SpillwayError('BUNDLE_INVALID', why);

/** Rejects with FILE_NOT_FOUND, FILE_FAILED or BUNDLE_INVALID. Reading rejects with BUNDLE_INVALID and BUNDLE_PASSPHRASE. */
export async function openArchive(path: string, passphrase: string | null): Promise<OpenArchive> {
  const file = await open(path).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENOENT'
      ? new SpillwayError('FILE_NOT_FOUND', `there is no file ${path}`)
      : new SpillwayError('FILE_FAILED', `${path} can not be opened: ${code}`);
  });
  try {
    const about = await file.stat();
    if (!about.isFile()) throw invalid('it is no file');
    if (about.size > ARCHIVE_BYTES_MAX) throw invalid(`it is larger than a package can be (${ARCHIVE_BYTES_MAX} bytes)`);
    const magic = Buffer.alloc(4);
    await file.read(magic, 0, 4, 0);
    if (magic.toString('latin1') === 'PK\u0003\u0004') return await openZip(file, about.size, passphrase);
    if (magic.readUInt16BE() !== 0x1f8b) throw invalid('it is neither a ZIP archive nor a tar.gz');
    await file.close();
    return { format: 'tar.gz', isEncrypted: false, files: bounded(tarFiles(path)), close: () => Promise.resolve() };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

async function openZip(file: FileHandle, size: number, passphrase: string | null): Promise<OpenArchive> {
  const { ZipReader, Reader, ERR_INVALID_PASSWORD } = await loadZip();
  class FileReader extends Reader<FileHandle> {
    override size = size;
    override async readUint8Array(at: number, length: number): Promise<Uint8Array> {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, at);
      return bytes.subarray(0, bytesRead);
    }
  }
  const reader = new ZipReader(new FileReader(file), { strictness: 'strict', checkOverlappingEntry: true });
  const told = (error: unknown): SpillwayError => {
    if (error instanceof SpillwayError) return error;
    const { message } = error as Error;
    return message === ERR_INVALID_PASSWORD
      ? new SpillwayError('BUNDLE_PASSPHRASE', 'the passphrase is wrong')
      : invalid(`the ZIP archive: ${message}`);
  };
  const entries: Entry[] = [];
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      if (entries.length === FILES_MAX) throw invalid(`it has more than ${FILES_MAX} files`);
      entries.push(entry);
    }
  } catch (error) {
    throw told(error);
  }
  async function* files(): AsyncGenerator<ArchivedFile, void, undefined> {
    for (const entry of entries) {
      if (entry.directory) continue;
      const hidden = entry.encrypted && passphrase === null;
      const read = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
        const writer = writable.getWriter();
        // A stream of its own in between: the package leaves one that it was given open when it fails.
        const into = new WritableStream<Uint8Array>({ write: (bytes) => writer.write(bytes) });
        entry
          .getData(into, entry.encrypted ? { password: passphrase! } : {})
          .then(
            () => writer.close(),
            (error: unknown) => writer.abort(error),
          )
          .catch(() => undefined);
        yield* translated(readable, told);
      };
      yield { path: entry.filename, modified: entry.lastModDate, bytes: hidden ? null : read() };
    }
  }
  return { format: 'zip', isEncrypted: entries.some(({ encrypted }) => encrypted), files: bounded(files()), close: () => file.close() };
}

async function* tarFiles(path: string): AsyncGenerator<ArchivedFile, void, undefined> {
  const { createTarDecoder } = await import('modern-tar');
  const source = createReadStream(path);
  const gunzip = createGunzip();
  source.once('error', (error) => gunzip.destroy(error)).pipe(gunzip);
  const decoder = createTarDecoder({ strict: true });
  const fed = ReadableStream.from<Uint8Array>(limited(gunzip as AsyncIterable<Uint8Array>)).pipeTo(decoder.writable);
  fed.catch(() => undefined);
  const damaged = (error: unknown): SpillwayError => (error instanceof SpillwayError ? error : invalid(`the tar.gz: ${(error as Error).message}`));
  try {
    for await (const { header, body } of decoder.readable) {
      if (header.type === 'directory') {
        await body.cancel();
        continue;
      }
      if (header.type !== undefined && header.type !== 'file') throw invalid(`it holds a ${header.type}, ${JSON.stringify(header.name)}`);
      yield { path: header.name, modified: header.mtime ?? new Date(0), bytes: translated(body, damaged) };
    }
    await fed;
  } catch (error) {
    throw damaged(error);
  } finally {
    gunzip.destroy();
    source.destroy();
    // Its descriptor is closed a moment later.
    if (!source.closed) await once(source, 'close');
  }
}

async function* translated(bytes: ReadableStream<Uint8Array>, told: (error: unknown) => SpillwayError): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes;
  } catch (error) {
    throw told(error);
  }
}

/** Also what lies between the files counts. */
async function* limited(gunzip: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  for await (const bytes of gunzip) {
    length += bytes.length;
    if (length > BUNDLE_BYTES_MAX + FILE_BYTES_MAX) throw invalid(`it unpacks to more than a package can hold (${BUNDLE_BYTES_MAX} bytes)`);
    yield bytes;
  }
}

/** No more files, and none larger, than a package has; and no name that leads out of a folder. */
async function* bounded(files: AsyncIterable<ArchivedFile>): AsyncGenerator<ArchivedFile, void, undefined> {
  let count = 0;
  let total = 0;
  async function* counted(path: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    let size = 0;
    for await (const part of bytes) {
      size += part.length;
      total += part.length;
      if (size > FILE_BYTES_MAX) throw invalid(`${JSON.stringify(path)} unpacks to more than a file of a package can hold (${FILE_BYTES_MAX} bytes)`);
      if (total > BUNDLE_BYTES_MAX + FILE_BYTES_MAX) throw invalid(`it unpacks to more than a package can hold (${BUNDLE_BYTES_MAX} bytes)`);
      yield part;
    }
  }
  for await (const { path, bytes, ...more } of files) {
    if (++count > FILES_MAX) throw invalid(`it has more than ${FILES_MAX} files`);
    if (path.length > 255 || path.startsWith('/') || /[\u0000-\u001f\\]/.test(path) || path.split('/').some((part) => part === '..' || part === ''))
      throw invalid(`the name ${JSON.stringify(path.slice(0, 255))} is none that a package has`);
    yield { ...more, path, bytes: bytes && counted(path, bytes) };
  }
}
