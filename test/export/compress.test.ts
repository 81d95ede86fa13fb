import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { decompress } from 'zstd-napi';
import { describe, expect, it } from 'vitest';
import type { Sink } from '../../src/engine/types.js';
import { SpillwayError } from '../../src/errors.js';
import { GzipSink } from '../../src/export/gzip-sink.js';
import { ZstdSink } from '../../src/export/zstd-sink.js';

class Memory implements Sink {
  readonly chunks: Buffer[] = [];
  finished = 0;
  aborted = 0;
  /** How many writes pass before one fails. */
  constructor(private patience = Infinity) {}

  async write(bytes: Uint8Array): Promise<void> {
    await new Promise(setImmediate);
    if (this.patience-- <= 0) throw new SpillwayError('CLIENT_LEFT', 'the client left');
    this.chunks.push(Buffer.from(bytes));
  }
  async finish(): Promise<void> {
    this.finished++;
  }
  async abort(): Promise<void> {
    this.aborted++;
  }
}

const codings = [
  { name: 'gzip', make: (inner: Sink): Sink => new GzipSink(inner), expand: (bytes: Buffer): Buffer => gunzipSync(bytes) },
  { name: 'zstd', make: (inner: Sink): Sink => new ZstdSink(inner), expand: (bytes: Buffer): Buffer => decompress(bytes) },
];

describe.each(codings)('$name', ({ make, expand }) => {
  it('gives back what went in, from memory that is reused and shared', async () => {
    const inner = new Memory();
    const sink = make(inner);
    const shared = new Uint8Array(new SharedArrayBuffer(3_000_000));
    const whole: Buffer[] = [];
    for (const length of [1, 3_000_000, 100_000, 0, 2_999_999]) {
      const step = length % 2 === 0 ? randomBytes(length) : Buffer.alloc(length, length % 251);
      shared.set(step);
      whole.push(step);
      await sink.write(shared.subarray(0, length));
      shared.fill(0xff);
    }
    await sink.finish();
    expect(inner.finished).toBe(1);
    expect(expand(Buffer.concat(inner.chunks)).equals(Buffer.concat(whole))).toBe(true);
  });

  it('makes nothing at all into something that expands to nothing', async () => {
    const inner = new Memory();
    const sink = make(inner);
    await sink.finish();
    expect(expand(Buffer.concat(inner.chunks)).length).toBe(0);
  });

  it('hands on the failure of the sink behind it, and ends', async () => {
    const inner = new Memory(1);
    const sink = make(inner);
    const writing = (async () => {
      for (let i = 0; i < 100; i++) await sink.write(randomBytes(1_000_000));
      await sink.finish();
    })();
    await expect(writing).rejects.toMatchObject({ code: 'CLIENT_LEFT' });
    await sink.abort();
    expect([inner.finished, inner.aborted]).toEqual([0, 1]);
  });

  it('keeps no output back beyond a bound', async () => {
    // Whoever waits for a write must wait for the sink behind it, or a slow client would fill the memory.
    const inner = new Memory();
    const sink = make(inner);
    let written = 0;
    let worst = 0;
    for (let i = 0; i < 30; i++) {
      await sink.write(randomBytes(1_000_000));
      written += 1_000_000;
      worst = Math.max(worst, written - inner.chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    }
    await sink.abort();
    expect(worst).toBeLessThan(3_000_000);
  });

  it('can be aborted before anything', async () => {
    const inner = new Memory();
    await make(inner).abort();
    expect([inner.finished, inner.aborted]).toEqual([0, 1]);
  });
});
