/** Where the system's own files are, and how they are read: bounded, and never a device or a pipe. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;

/** Of a file of /proc or /etc: the largest that is asked for, /proc/mounts, has some hundred KiB on busy machines. */
const SMALL_FILE_BYTES = 1 << 20;
const NEWLINE = 10;
const TAIL_STEP_BYTES = 64 << 10;

export class Places {
  /** `root`: where the system's tree begins. */
  constructor(private readonly root = '/') {}

  path(name: string): string {
    return join(this.root, name);
  }

  /** The text of a small file; null where it can't be read. */
  async text(name: string): Promise<string | null> {
    return (await this.bytes(name))?.toString('utf8') ?? null;
  }

  async bytes(name: string): Promise<Buffer | null> {
    const file = await open(this.path(name), O_RDONLY | O_NONBLOCK).catch(() => null);
    try {
      return file && (await bytesOf(file));
    } catch {
      return null;
    } finally {
      await file?.close();
    }
  }
}

/** Files of /proc have no size: read until they end. */
async function bytesOf(file: FileHandle): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let bytes = 0; bytes < SMALL_FILE_BYTES;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(16 << 10), 0, 16 << 10, null);
    if (bytesRead === 0) break;
    parts.push(buffer.subarray(0, bytesRead));
    bytes += bytesRead;
  }
  return Buffer.concat(parts);
}

/** The last lines of a file, in pieces that begin and end anywhere; found from its end, so that its size costs nothing. */
export async function* tailOf(path: string, lines: number, maxBytes: number): AsyncGenerator<string> {
  const file = await open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error(`${path} is no file`);
    const decoder = new TextDecoder();
    const buffer = Buffer.allocUnsafe(TAIL_STEP_BYTES);
    for (let at = await startOfTail(file, stat.size, lines, maxBytes, buffer); at < stat.size;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, stat.size - at), at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield decoder.decode(buffer.subarray(0, bytesRead), { stream: true });
    }
  } finally {
    await file.close();
  }
}

async function startOfTail(file: FileHandle, size: number, lines: number, maxBytes: number, buffer: Buffer): Promise<number> {
  const { bytesRead: hasLast } = await file.read(buffer, 0, 1, Math.max(0, size - 1));
  // The newline that ends the file ends its last line.
  let left = hasLast > 0 && buffer[0] === NEWLINE ? lines + 1 : lines;
  const least = Math.max(0, size - maxBytes);
  let firstLine = size;
  for (let end = size; end > least;) {
    const start = Math.max(least, end - buffer.length);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] !== NEWLINE) continue;
      left -= 1;
      if (left === 0) return start + at + 1;
      firstLine = start + at + 1;
    }
    end = start;
  }
  return least === 0 ? 0 : firstLine;
}
