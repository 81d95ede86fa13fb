/** Sends what is spooled: whole, by a range, or compressed. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { LIMITS } from '../../config.js';
import type { Sink } from '../../engine/types.js';
import type { Spooled } from '../../export/spool-fetch.js';
import { sendRange } from '../ranges.js';

/** With its headers but for those of ranges. Resolves to whether the client got the end; breaks off where `signal` aborts. */
export async function sendIdentity(reply: FastifyReply, spooled: Spooled, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<boolean> {
  const { sizeBytes, sha256 } = spooled;
  let isAtEnd = false;
  const read = async (into: Uint8Array, offset: number): Promise<number> => {
    const got = await spooled.read(into, offset);
    isAtEnd ||= offset + got >= sizeBytes;
    return got;
  };
  const stop = (): void => void reply.raw.destroy();
  signal.addEventListener('abort', stop);
  try {
    await sendRange(reply, { sizeBytes, read }, { etag: `"${sha256}"`, headers });
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return isAtEnd && reply.raw.writableFinished;
}

/** Through a sink that changes the bytes on their way: all of them. */
export async function sendAll({ sizeBytes, read }: Spooled, sink: Sink, signal: AbortSignal): Promise<boolean> {
  const stop = (): void => void sink.abort();
  signal.addEventListener('abort', stop);
  try {
    for (let at = 0; at < sizeBytes;) {
      const room = Buffer.allocUnsafe(Math.min(LIMITS.httpChunkBytes, sizeBytes - at));
      const got = await read(room, at);
      await sink.write(room.subarray(0, got));
      at += got;
    }
    await sink.finish();
    return true;
  } catch (error) {
    await sink.abort();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
