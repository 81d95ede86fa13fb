/** Holds a segment against retention without reading it: capture lets go of nothing that somebody has locked. */
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { lockShared } from '../native.js';
import type { Segment } from './catalog.js';

export class SegmentHold {
  private constructor(private readonly handle: FileHandle) {}

  /** null where it is gone. It may get its name at any time. */
  static async of(folder: string, { stem }: Segment): Promise<SegmentHold | null> {
    const sealed = join(folder, `${stem}.pcapng`);
    const handle = (await openIfThere(`${sealed}.part`)) ?? (await openIfThere(sealed));
    if (!handle) return null;
    if (lockShared(handle.fd) && (await handle.stat()).nlink > 0) return new SegmentHold(handle);
    await handle.close();
    return null;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
