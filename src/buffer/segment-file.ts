/** An open segment: what can be read of it, held against the checksums of its index. */
import { close, fstatSync, open, readSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FileIndex } from '../engine/indexes.js';
import type { Beginning, OpenSource } from '../engine/open-source.js';
import { beginningOfFile } from '../engine/source.js';
import type { Damage } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { crc32c, lockShared, probeIndex, type IndexAnswer } from '../native.js';
import type { Segment } from './catalog.js';

const openFd = promisify(open);
const closeFd = promisify(close);
const EVERY_TIME = new BigInt64Array(0);

/** The first block that can be read, and what stands before it that can't. */
export interface FirstBlock {
  beginning: Beginning;
  damage: Damage | null;
}

export class SegmentFile {
  private answer: IndexAnswer | null | undefined;
  /** Whoever reads it closes it. */
  isKept = false;

  private constructor(
    readonly id: bigint,
    /** What sentences call it. */
    readonly name: string,
    readonly fd: number,
    /** It had its name when it was opened: it grows no more. */
    readonly sealed: boolean,
    private readonly folder: string,
    private readonly stem: string,
    private index: FileIndex | null,
  ) {}

  /**
   * A segment stays as long as someone reads it: whoever captures lets go only of what nobody holds. null where it is gone. It
   * may get its name at any time.
   */
  static async open(folder: string, folderName: string, { id, stem }: Segment): Promise<SegmentFile | null> {
    const path = join(folder, `${stem}.pcapng`);
    const name = `${folderName}/${stem}.pcapng`;
    const part = await openIfThere(`${path}.part`, name);
    const fd = part ?? (await openIfThere(path, name));
    if (fd === null) return null;
    try {
      if (!lockShared(fd) || fstatSync(fd).nlink === 0) {
        await closeFd(fd);
        return null;
      }
      return new SegmentFile(id, name, fd, part === null, folder, stem, await openIndex(folder, stem, id, name));
    } catch (error) {
      await closeFd(fd);
      throw error;
    }
  }

  /** What has its index has had as many bytes as that says; the file may have been cut since. */
  size(): number {
    const { size } = fstatSync(this.fd);
    return this.sealed ? Math.max(size, this.#all()?.end ?? 0) : size;
  }

  /** It is still under construction, as far as its name tells. */
  async isPart(): Promise<boolean> {
    const fd = await openIfThere(join(this.folder, `${this.stem}.pcapng.part`), this.name);
    if (fd !== null) await closeFd(fd);
    return fd !== null;
  }

  /** Its first `sizeBytes`; the descriptors stay this segment's. */
  source(sizeBytes: number, beginning: Beginning | null): OpenSource {
    const { name, fd, index } = this;
    return { name, fd, sizeBytes, kind: 'file', compression: null, pipe: false, index, isChecked: true, beginning, handOver() {}, async close() {} };
  }

  /** null where nothing can be read: then `damage` tells why. */
  async firstBlock(sizeBytes: number): Promise<FirstBlock | { beginning: null; damage: Damage }> {
    // Of one under construction, what was written a moment ago is believed.
    const answer = this.sealed ? this.#all() : null;
    const first = answer?.first;
    if (!first || first.end > sizeBytes || crc32c(this.#read(first.end), 0) === first.crc) return this.#readBeginning(sizeBytes);
    const { packets } = first;
    const damage = {
      file: this.name,
      offsetBytes: 0,
      reason: `a block of ${first.end} bytes with ${packets} packets does not have its checksum`,
      packets,
    };
    const state = first.stateBehind;
    if (state.length === 0) return { beginning: null, damage };
    return { beginning: await beginningOfFile(this.name, this.fd, sizeBytes, { offset: first.end, state }), damage };
  }

  async #readBeginning(sizeBytes: number): Promise<FirstBlock | { beginning: null; damage: Damage }> {
    try {
      return { beginning: await beginningOfFile(this.name, this.fd, sizeBytes, null), damage: null };
    } catch (error) {
      if (!(error instanceof SpillwayError) || error.code !== 'SOURCE_NOT_A_CAPTURE') throw error;
      return { beginning: null, damage: { file: this.name, offsetBytes: 0, reason: error.message.slice(this.name.length + 2) } };
    }
  }

  /** All of it is lost, for that reason. */
  allOf({ reason }: Damage): Damage {
    const packets = this.#all()?.packets;
    return {
      file: this.name,
      offsetBytes: 0,
      reason: `${reason}, and nothing behind it can be read without it`,
      ...(packets !== undefined && { packets }),
    };
  }

  /** It stays open until what this returns is called. */
  keep(): () => Promise<void> {
    this.isKept = true;
    return () => this.#close();
  }

  async close(): Promise<void> {
    if (!this.isKept) await this.#close();
  }

  async #close(): Promise<void> {
    await this.index?.close();
    await closeFd(this.fd);
  }

  /** What a finished index says of all of it. */
  #all(): IndexAnswer | null {
    if (this.answer !== undefined || !this.index) return this.answer ?? null;
    const answer = probeIndex(this.index.fd, this.index.id, null, EVERY_TIME, { first: true });
    return (this.answer = typeof answer === 'string' ? null : answer);
  }

  /** Its first bytes, as many as there are. */
  #read(bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(this.fd, buffer, 0, bytes, 0));
  }
}

/** The index of a segment; null where there is none. */
export async function openIndex(folder: string, stem: string, id: bigint, name: string): Promise<FileIndex | null> {
  const fd = await openIfThere(join(folder, `${stem}.index`), name);
  return fd === null ? null : { fd, id, close: () => closeFd(fd) };
}

async function openIfThere(path: string, name: string): Promise<number | null> {
  try {
    return await openFd(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new SpillwayError('SOURCE_UNREADABLE', `${name}: can not be opened (${code ?? (error as Error).message})`);
  }
}
