/**
 * Reads tar in the one form that packages have: regular files with plain headers (ustar), two empty blocks behind them, and
 * nothing more. All else that tar knows (links, devices, pax and GNU headers) ends the reading: what a package may be takes
 * little memory and time then, and is read alike by everybody.
 */
import { SpillwayError } from '../errors.js';
import { ByteReader } from './byte-reader.js';

export interface TarEntry {
  name: string;
  bytes: number;
  isFile: boolean;
}

const BLOCK_BYTES = 512;
const REGULAR = '0'.charCodeAt(0);
const SPACE = ' '.charCodeAt(0);
/** Where a header has what, and how many bytes of it. */
const NAME = [0, 100] as const;
const SIZE = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE_AT = 156;
const MAGIC = [257, 8] as const;
const PREFIX = [345, 155] as const;

const invalid = (why: string): SpillwayError => new SpillwayError('PACKAGE_INVALID', why);

export class TarReader {
  readonly #from: ByteReader;
  /** Of the entry's bytes, and of what fills its last block. */
  #left = 0;
  #fill = 0;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#from = new ByteReader(bytes);
  }

  /** The next one, once the bytes of the one before were read; null: there is none, and nothing else either. Rejects with PACKAGE_INVALID. */
  async next(): Promise<TarEntry | null> {
    if (!isEmpty(await this.#exactly(this.#fill))) throw invalid('the package holds bytes between its files');
    this.#fill = 0;
    const block = await this.#exactly(BLOCK_BYTES);
    if (isEmpty(block)) {
      if (!isEmpty(await this.#exactly(BLOCK_BYTES))) throw invalid('the package is damaged: it has half an end');
      if ((await this.#from.peek(1)).length > 0) throw invalid('bytes follow the end of the package');
      return null;
    }
    const entry = entryOf(block);
    this.#left = entry.bytes;
    this.#fill = -entry.bytes & (BLOCK_BYTES - 1);
    return entry;
  }

  /** The bytes of the entry, as they come. */
  async *bytes(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of this.#from.pieces(this.#left)) {
      this.#left -= piece.length;
      yield piece;
    }
    if (this.#left > 0) throw cut();
  }

  /** Lets go of what the bytes come from. */
  close(): Promise<void> {
    return this.#from.close();
  }

  async #exactly(length: number): Promise<Buffer> {
    const bytes = await this.#from.read(length);
    if (bytes.length < length) throw cut();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

const cut = (): SpillwayError => invalid('the package was cut');

const isEmpty = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function entryOf(block: Buffer): TarEntry {
  if (field(block, MAGIC).toString('latin1') !== 'ustar\u000000')
    throw invalid('it is no package: it is no tar archive inside gzip, or one of another kind');
  const sum = block.reduce((all, byte, at) => all + (at >= CHECKSUM[0] && at < CHECKSUM[0] + CHECKSUM[1] ? SPACE : byte), 0);
  if (number(block, CHECKSUM) !== sum) throw invalid('the package is damaged: the checksum of a header is not its own');
  const prefix = text(block, PREFIX);
  return { name: (prefix === '' ? '' : `${prefix}/`) + text(block, NAME), bytes: number(block, SIZE), isFile: block[TYPE_AT] === REGULAR };
}

const field = (block: Buffer, [at, length]: readonly [number, number]): Buffer => block.subarray(at, at + length);

/** Octal digits; the form that holds larger numbers is not needed here. */
function number(block: Buffer, place: readonly [number, number]): number {
  const digits = /^([0-7]{1,11})[\0 ]+$/.exec(field(block, place).toString('latin1'))?.[1];
  if (digits === undefined) throw invalid('the package is damaged: a number of a header is none');
  return parseInt(digits, 8);
}

function text(block: Buffer, place: readonly [number, number]): string {
  const bytes = field(block, place);
  const end = bytes.indexOf(0);
  const used = end === -1 ? bytes : bytes.subarray(0, end);
  if (!isEmpty(bytes.subarray(used.length))) throw invalid('the package is damaged: a name of a header goes on behind its end');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(used);
  } catch {
    throw invalid('the package is damaged: a name of a header is no UTF-8');
  }
}
