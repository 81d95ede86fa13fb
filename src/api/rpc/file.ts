/** `{"base64": …}`: a package as JSON, its base64 made piece by piece. */
import type { FileHandle } from 'node:fs/promises';
import type { FastifyReply } from 'fastify';
import { SpillwayError } from '../../errors.js';
import { HttpSink } from '../../export/http-sink.js';

/** Every three bytes are four characters: pieces of this size need no padding. */
const PIECE_BYTES = 3 << 16;

/** Resolves when the system has taken all of it; rejects where the client left before. Closes `file`. */
export async function sendFile(reply: FastifyReply, file: FileHandle, bytes: number): Promise<void> {
  const head = Buffer.from('{"base64":"');
  const tail = Buffer.from(`","extension":"zip","device":{"tstamp":${Math.floor(Date.now() / 1000)}}}`);
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'content-length': head.length + 4 * Math.ceil(bytes / 3) + tail.length,
  };
  const sink = new HttpSink(reply.raw, headers, { onBegin: () => void reply.hijack() });
  try {
    await sink.write(head);
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (let at = 0; at < bytes;) {
      const wanted = Math.min(PIECE_BYTES, bytes - at);
      await fill(file, buffer.subarray(0, wanted), at);
      await sink.write(Buffer.from(buffer.toString('base64', 0, wanted), 'latin1'));
      at += wanted;
    }
    await sink.write(tail);
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  } finally {
    await file.close();
  }
}

async function fill(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw new SpillwayError('FILE_CHANGED', `the package ends at byte ${position + done}`);
    done += bytesRead;
  }
}
