import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { SLOT_BYTES } from '../../src/engine/limits.js';
import { newSlot } from '../../src/engine/slots.js';
import { FdSink } from '../../src/export/fd-sink.js';

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

/** Both ends of a pipe; `flags` for the end that is written to. */
function withPipe(flags: number, work: (reader: number, writer: number) => Promise<void>): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'spillway-pipe-'));
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, O_RDONLY | O_NONBLOCK);
    const writer = openSync(path, O_WRONLY | flags);
    try {
      await work(reader, writer);
    } finally {
      closeSync(writer);
      rmSync(folder, { recursive: true });
    }
  };
}

describe('a descriptor', () => {
  it(
    'that does not block takes all of a large write, bit by bit',
    withPipe(O_NONBLOCK, async (reader, writer) => {
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
      const writing = new FdSink(writer).write(bytes);
      const seen: Buffer[] = [];
      const part = Buffer.alloc(10_000);
      for (let total = 0; total < bytes.length;) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const count = readIfAny(reader, part);
        seen.push(Buffer.from(part.subarray(0, count)));
        total += count;
      }
      await writing;
      expect(Buffer.concat(seen).equals(bytes)).toBe(true);
      closeSync(reader);
    }),
  );

  it(
    'gets a slot, and keeps what it got when the slot is used again',
    withPipe(0, async (reader, writer) => {
      const slot = newSlot(SLOT_BYTES);
      const sink = new FdSink(writer);
      const seen: Buffer[] = [];
      let over = false;
      const reading = (async () => {
        const part = Buffer.alloc(100_000);
        while (!over || seen.reduce((sum, { length }) => sum + length, 0) < 3 * 400_000) {
          const count = readIfAny(reader, part);
          if (count > 0) seen.push(Buffer.from(part.subarray(0, count)));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })();
      for (const fill of [1, 2, 3]) {
        slot.fill(fill, 0, 400_000);
        await sink.write(slot.subarray(0, 400_000));
      }
      slot.fill(9);
      over = true;
      await reading;
      const expected = Buffer.concat([1, 2, 3].map((fill) => Buffer.alloc(400_000, fill)));
      expect(Buffer.concat(seen).equals(expected)).toBe(true);
      closeSync(reader);
    }),
  );

  it(
    'of a pipe whose reader has gone says so for a slot, too',
    withPipe(0, async (reader, writer) => {
      closeSync(reader);
      await expect(new FdSink(writer).write(newSlot(SLOT_BYTES).subarray(0, 1 << 20))).rejects.toMatchObject({ code: 'CLIENT_LEFT' });
    }),
  );

  it(
    'whose reader has gone says so',
    withPipe(0, async (reader, writer) => {
      closeSync(reader);
      await expect(new FdSink(writer).write(Buffer.from('x'))).rejects.toMatchObject({
        code: 'CLIENT_LEFT',
        message: 'the reader of standard output left before the end of the output',
      });
    }),
  );

  it('that is full says so', async () => {
    const fd = openSync('/dev/full', 'w');
    await expect(new FdSink(fd, 'the device').write(Buffer.from('x'))).rejects.toMatchObject({
      code: 'OUTPUT_FAILED',
      message: expect.stringContaining('ENOSPC'),
    });
    closeSync(fd);
  });

  it('is left open', async () => {
    const child = spawn('cat', [], { stdio: ['pipe', 'pipe', 'inherit'] });
    const fd = (child.stdin as unknown as { _handle: { fd: number } })._handle.fd;
    const sink = new FdSink(fd);
    await sink.write(Buffer.from('a'));
    await sink.finish();
    await new FdSink(fd).write(Buffer.from('b'));
    await sink.abort();
    child.stdin.end();
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(child, 'close');
    expect(text).toBe('ab');
  });
});

function readIfAny(fd: number, into: Buffer): number {
  try {
    return readSync(fd, into, 0, into.length, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}
