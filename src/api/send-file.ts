/** An open file as an answer, which clients keep under its name. */
import type { FileHandle } from 'node:fs/promises';
import type { FastifyReply } from 'fastify';
import { bytesOfFile, sendRange } from './ranges.js';

export interface FileAnswer {
  bytes: number;
  /** Strong, without its quotes. */
  etag: string;
  type: string;
  /** As it stands in the header. Without quotes where clients cut the header at its `=`, so that nothing may be in it that needs them. */
  filename: string;
}

/** Answers with the file or a range of it, and closes it. Rejects with what can still be answered. */
export async function sendFile(reply: FastifyReply, file: FileHandle, { bytes, etag, type, filename }: FileAnswer): Promise<FastifyReply> {
  try {
    await sendRange(reply, bytesOfFile(file.fd, bytes), {
      etag: `"${etag}"`,
      headers: {
        'content-type': type,
        'content-disposition': `attachment; filename=${filename}`,
        'cache-control': 'private, no-cache',
        'x-content-type-options': 'nosniff',
      },
    });
  } finally {
    await file.close();
  }
  return reply;
}
