/**
 * The bytes of a stream, decompressed where they are compressed. Runs in a worker. Whatever was decompressed before a
 * fault is yielded before the fault is thrown, so that no whole packet is lost.
 */
import { read } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { DETECT_BYTES, detectCompression, type Compression } from './detect.js';
import type { StreamInput } from './tasks.js';

/** The stream is damaged here: a sentence without a place. */
export class StreamDamage extends Error {}

const readFd = promisify(read);

/** Bytes read at once, and bytes that zstd gives at once. */
const BUFFER_BYTES = 1 << 20;
/** Bytes given to gunzip at once: deflate grows them 1032-fold at most, so what comes out stays below 17 MiB. */
const GUNZIP_INPUT_BYTES = 16 << 10;
/** That much, where buffers are small: a round through zlib costs as much as a few kilobytes do. */
const LEAST_GUNZIP_INPUT_BYTES = 2 << 10;

/**
 * `used` is called with the number of input bytes that were read, as they are. `giveUp` ends the stream as if it were
 * over, also while it waits. A pipe's descriptor is closed in the end; that of a file stays open.
 */
export async function* readBytes(input: StreamInput, giveUp: AbortSignal, used: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const raw = readRaw(input, giveUp, used);
  const bufferBytes = input.bufferBytes ?? BUFFER_BYTES;
  if (input.compression !== 'detect') {
    yield* decompressed(raw, input.compression, bufferBytes);
    return;
  }
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  while (heldBytes < DETECT_BYTES) {
    const next = await raw.next();
    if (next.done) break;
    held.push(next.value);
    heldBytes += next.value.length;
  }
  const head = Buffer.concat(held);
  yield* decompressed(following(head, raw), detectCompression(head), bufferBytes);
}

async function* following(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* rest;
}

function decompressed(raw: AsyncIterable<Uint8Array>, compression: Compression | null, bufferBytes: number): AsyncIterable<Uint8Array> {
  if (compression === 'zstd') return unzstd(raw, bufferBytes);
  const inputBytes = Math.max(LEAST_GUNZIP_INPUT_BYTES, Math.min(GUNZIP_INPUT_BYTES, bufferBytes >> 4));
  return compression === 'gzip' ? gunzip(raw, inputBytes) : raw;
}

/** The descriptor stays open: a ReadStream would close it. A file is read from its start, wherever its position is. */
async function* readRaw(input: StreamInput, giveUp: AbortSignal, used: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  if (input.pipe) {
    yield* readPipe(input.fd, giveUp, used);
    return;
  }
  let position = input.compression === 'detect' ? null : 0;
  const size = input.bufferBytes ?? BUFFER_BYTES;
  while (!giveUp.aborted) {
    const buffer = Buffer.allocUnsafe(size);
    const { bytesRead } = await readFd(input.fd, buffer, 0, size, position);
    if (bytesRead === 0) return;
    used(bytesRead);
    if (position !== null) position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* readPipe(fd: number, giveUp: AbortSignal, used: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const socket = new Socket({ fd, readable: true, writable: false });
  const end = (): void => void socket.destroy();
  giveUp.addEventListener('abort', end);
  if (giveUp.aborted) end();
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      used(chunk.length);
      yield chunk;
    }
  } catch (error) {
    if (!giveUp.aborted) throw error;
  } finally {
    giveUp.removeEventListener('abort', end);
    socket.destroy();
  }
}

/** Never paused and fed little at a time: a paused zlib stream drops what it holds when it fails. */
async function* gunzip(raw: AsyncIterable<Uint8Array>, inputBytes: number): AsyncGenerator<Uint8Array> {
  const stream = createGunzip();
  let out: Buffer[] = [];
  let fault: Error | null = null;
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));
  stream.on('data', (chunk: Buffer) => out.push(chunk));
  stream.on('error', (error) => (fault = error));
  const taken = (): Buffer[] => {
    const all = out;
    out = [];
    return all;
  };
  try {
    for await (const chunk of raw) {
      for (let at = 0; at < chunk.length && !fault; at += inputBytes) {
        const piece = chunk.subarray(at, at + inputBytes);
        await new Promise<void>((resolve) => {
          const done = (): void => resolve();
          stream.once('close', done);
          stream.write(piece, () => {
            stream.off('close', done);
            resolve();
          });
        });
        yield* taken();
      }
      if (fault) break;
    }
    if (!fault) stream.end();
    await closed;
    yield* taken();
    if (fault) throw new StreamDamage(`the gzip data is damaged: ${(fault as Error).message}`);
  } finally {
    stream.destroy();
  }
}

async function* unzstd(raw: AsyncIterable<Uint8Array>, outputBytes: number): AsyncGenerator<Uint8Array> {
  const { default: zstd } = await import('zstd-napi/binding.js');
  const context = new zstd.DCtx();
  let inFrame = false;
  for await (const chunk of raw) {
    let at = 0;
    let flushing = false;
    while (at < chunk.length || flushing) {
      // A fresh buffer each time: the one before may still be on its way.
      const out = Buffer.allocUnsafe(outputBytes);
      let left: number;
      let produced: number;
      let consumed: number;
      try {
        [left, produced, consumed] = context.decompressStream(out, chunk.subarray(at));
      } catch (error) {
        throw new StreamDamage(`the zstd data is damaged: ${(error as Error).message}`);
      }
      at += consumed;
      // Without input or output it only says how much it would like to see next.
      if (consumed > 0 || produced > 0) inFrame = left !== 0;
      if (produced > 0) yield out.subarray(0, produced);
      flushing = produced === out.length;
    }
  }
  if (inFrame) throw new StreamDamage('the zstd data ends early');
}
