/**
 * ZIP (APPNOTE 6.3, with its 64-bit records where they are needed) whose files are stored as they are: packages are compressed
 * already. Sizes and checksums are known beforehand and stand in front of each file, so that a reader needs no second look.
 */
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import type { ByteReader } from './byte-reader.js';

export interface StoredFile {
  path: string;
  /** Less than 4 GiB. */
  bytes: number;
  crc32: number;
}

export interface FileToStore extends StoredFile {
  read(): AsyncIterable<Uint8Array>;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
/** What such an archive begins with, unless it is empty. */
export const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04] as const;

const [LOCAL_BYTES, CENTRAL_BYTES, END_BYTES, END_64_BYTES, LOCATOR_64_BYTES] = [30, 46, 22, 56, 20];
const [MAX_16, MAX_32] = [0xffff, 0xffff_ffff];
/** Which version of the format a reader has to know: the first, and that of the 64-bit records. */
const [VERSION, VERSION_64] = [10, 45];
const UTF_8 = 0x0800;
const [ENCRYPTED, SIZES_BEHIND] = [0x0001, 0x0008];
const OFFSET_EXTRA_BYTES = 12;

/** How long the archive of these files is. */
export function storedZipBytes(files: readonly StoredFile[]): number {
  let at = 0;
  let central = 0;
  for (const { path, bytes } of files) {
    const name = Buffer.byteLength(path);
    central += CENTRAL_BYTES + name + (at >= MAX_32 ? OFFSET_EXTRA_BYTES : 0);
    at += LOCAL_BYTES + name + bytes;
  }
  return at + central + END_BYTES + (isLarge(files.length, at, central) ? END_64_BYTES + LOCATOR_64_BYTES : 0);
}

/** The sink is neither finished nor aborted here. `told` hears of each file that is in it. */
export async function writeStoredZip(sink: Sink, files: readonly FileToStore[], modified: Date, told: () => void = () => undefined): Promise<void> {
  let at = 0;
  const put = async (bytes: Uint8Array): Promise<void> => {
    at += bytes.length;
    await sink.write(bytes);
  };
  const central: Buffer[] = [];
  for (const file of files) {
    central.push(centralHeader(file, modified, at));
    await put(localHeader(file, modified));
    const end = at + file.bytes;
    for await (const piece of file.read()) await put(piece);
    if (at !== end) throw new SpillwayError('FILE_CHANGED', `${file.path} has ${file.bytes + at - end} bytes, and should have ${file.bytes}`);
    told();
  }
  const start = at;
  for (const header of central) await put(header);
  await put(endOf(files.length, start, at - start));
}

export interface StoredEntry {
  path: string;
  bytes: number;
  /** What there is of it; to be read to its end before what comes next. */
  read(): AsyncGenerator<Uint8Array, void, undefined>;
}

/** The next file of an archive as it comes; null behind the last. Throws PACKAGE_INVALID, also for an archive that others have made in other ways. */
export async function readStoredEntry(reader: ByteReader): Promise<StoredEntry | null> {
  const header = Buffer.from(await reader.peek(LOCAL_BYTES));
  const signature = header.length < 4 ? null : header.readUInt32LE(0);
  if (signature === CENTRAL || signature === END) return null;
  if (signature !== null && signature !== LOCAL) throw invalid('something else stands where a file should begin');
  if (header.length < LOCAL_BYTES) throw invalid('it was cut');
  const [flags, method, bytes] = [header.readUInt16LE(6), header.readUInt16LE(8), header.readUInt32LE(18)];
  if (method !== 0 || (flags & (ENCRYPTED | SIZES_BEHIND)) !== 0 || bytes === MAX_32 || bytes !== header.readUInt32LE(22))
    throw invalid('its files are not stored as they are: it is to be imported as it was exported');
  const [name, extra] = [header.readUInt16LE(26), header.readUInt16LE(28)];
  await reader.read(LOCAL_BYTES);
  const path = Buffer.from(await reader.read(name)).toString();
  await reader.read(extra);
  return { path, bytes, read: () => reader.pieces(bytes) };
}

const invalid = (why: string): SpillwayError => new SpillwayError('PACKAGE_INVALID', `it is no export of a repository, or a damaged one: ${why}`);

const isLarge = (files: number, start: number, bytes: number): boolean => files >= MAX_16 || start >= MAX_32 || bytes >= MAX_32;

function localHeader(file: StoredFile, modified: Date): Buffer {
  const header = Buffer.alloc(LOCAL_BYTES);
  header.writeUInt32LE(LOCAL, 0);
  about(file, modified, VERSION).copy(header, 4);
  return Buffer.concat([header, Buffer.from(file.path)]);
}

function centralHeader(file: StoredFile, modified: Date, offset: number): Buffer {
  const isFar = offset >= MAX_32;
  const version = isFar ? VERSION_64 : VERSION;
  const header = Buffer.alloc(CENTRAL_BYTES);
  header.writeUInt32LE(CENTRAL, 0);
  header.writeUInt16LE(version, 4);
  about(file, modified, version).copy(header, 6);
  header.writeUInt16LE(isFar ? OFFSET_EXTRA_BYTES : 0, 30);
  header.writeUInt32LE(isFar ? MAX_32 : offset, 42);
  const extra = Buffer.alloc(isFar ? OFFSET_EXTRA_BYTES : 0);
  if (isFar) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(8, 2);
    extra.writeBigUInt64LE(BigInt(offset), 4);
  }
  return Buffer.concat([header, Buffer.from(file.path), extra]);
}

/** What both headers say, from the version on. */
function about({ path, bytes, crc32 }: StoredFile, modified: Date, version: number): Buffer {
  const said = Buffer.alloc(26);
  said.writeUInt16LE(version, 0);
  said.writeUInt16LE(UTF_8, 2);
  said.writeUInt16LE((modified.getUTCHours() << 11) | (modified.getUTCMinutes() << 5) | (modified.getUTCSeconds() >> 1), 6);
  // Years from 1980 to 2107: a clock that was never set is before that.
  const year = Math.min(Math.max(modified.getUTCFullYear() - 1980, 0), 127);
  said.writeUInt16LE((year << 9) | ((modified.getUTCMonth() + 1) << 5) | modified.getUTCDate(), 8);
  said.writeUInt32LE(crc32, 10);
  said.writeUInt32LE(bytes, 14);
  said.writeUInt32LE(bytes, 18);
  said.writeUInt16LE(Buffer.byteLength(path), 22);
  return said;
}

function endOf(files: number, start: number, bytes: number): Buffer {
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END, 0);
  const count = Math.min(files, MAX_16);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(Math.min(bytes, MAX_32), 12);
  end.writeUInt32LE(Math.min(start, MAX_32), 16);
  if (!isLarge(files, start, bytes)) return end;
  const large = Buffer.alloc(END_64_BYTES);
  large.writeUInt32LE(END_64, 0);
  large.writeBigUInt64LE(BigInt(END_64_BYTES - 12), 4);
  large.writeUInt16LE(VERSION_64, 12);
  large.writeUInt16LE(VERSION_64, 14);
  for (const [at, value] of [
    [24, files],
    [32, files],
    [40, bytes],
    [48, start],
  ] as const)
    large.writeBigUInt64LE(BigInt(value), at);
  const locator = Buffer.alloc(LOCATOR_64_BYTES);
  locator.writeUInt32LE(LOCATOR_64, 0);
  locator.writeBigUInt64LE(BigInt(start + bytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([large, locator, end]);
}
