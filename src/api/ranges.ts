/**
 * Bytes that are all there when they are asked for, sent whole or by a range (RFC 9110, 13 and 14). Single ranges are
 * served; several at once, another unit and what is no range are answered with everything, as the RFC allows.
 */
import { read } from 'node:fs';
import type { OutgoingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import type { FastifyReply } from 'fastify';
import { LIMITS } from '../config.js';
import { SpillwayError, coded } from '../errors.js';
import { HttpSink } from '../export/http-sink.js';

/** What is sent. It must not change as long as its ETag stays the same. */
export interface Bytes {
  readonly sizeBytes: number;
  /** Fills `into`, or its beginning, with the bytes from `offset` on; resolves to how many, 0 where there are none. */
  read(into: Uint8Array, offset: number): Promise<number>;
}

export interface Representation {
  /** Strong, with its quotes. */
  etag: string;
  /** All but those of ranges and length. */
  headers: OutgoingHttpHeaders;
}

/** A part of the bytes: the first, and the one behind the last. */
export interface Part {
  start: number;
  end: number;
}

const readFd = promisify(read);

/** The bytes of an open file, which is borrowed. */
export function bytesOfFile(fd: number, sizeBytes: number): Bytes {
  return { sizeBytes, read: async (into, offset) => (await readFd(fd, into, 0, into.length, offset)).bytesRead };
}

/**
 * Answers GET and HEAD. Rejects with what can still be answered; what fails later breaks the connection, so that no
 * short body looks whole, and is logged.
 */
export async function sendRange(reply: FastifyReply, bytes: Bytes, { etag, headers }: Representation): Promise<void> {
  const { method, headers: asked } = reply.request;
  const size = bytes.sizeBytes;
  if (asked['if-match'] !== undefined && !names(asked['if-match'], etag, true)) {
    throw new SpillwayError('PRECONDITION_FAILED', 'If-Match names another version than the one that is there');
  }
  if (asked['if-none-match'] !== undefined && names(asked['if-none-match'], etag, false)) {
    await reply
      .code(304)
      .headers({ ...revalidation(headers), etag })
      .send();
    return;
  }
  const isCurrent = asked['if-range'] === undefined || String(asked['if-range']).trim() === etag;
  const part = method === 'GET' && isCurrent ? partOf(asked.range, size) : 'all';
  if (part === 'none') {
    void reply.header('content-range', `bytes */${size}`).header('accept-ranges', 'bytes');
    throw new SpillwayError('RANGE_INVALID', `the range ${asked.range!.slice(0, 60)} begins behind the end: there are ${size} bytes`);
  }
  const { start, end } = part === 'all' ? { start: 0, end: size } : part;
  const told = {
    ...headers,
    etag,
    'accept-ranges': 'bytes',
    'content-length': end - start,
    ...(part !== 'all' && { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
  };
  const sink = new HttpSink(reply.raw, told, { status: part === 'all' ? 200 : 206, onBegin: () => void reply.hijack() });
  try {
    if (method !== 'HEAD') await copy(bytes, start, end, sink);
    await sink.finish();
  } catch (error) {
    await sink.abort();
    if (!sink.begun) throw error;
    // That the client left, or what it fetches was deleted, is no failure.
    if (!['CLIENT_LEFT', 'CANCELLED'].includes(coded(error).code)) reply.request.log.error({ err: error }, 'a download');
  }
}

/** Downloads that run: the more there are, the less each has to buffer. */
let running = 0;

/** Reads one piece while the one before is on its way; each has a buffer, which is filled again when it is sent. */
async function copy(bytes: Bytes, start: number, end: number, sink: HttpSink): Promise<void> {
  running++;
  try {
    const room = Math.min(LIMITS.httpChunkBytes, Math.ceil(LIMITS.downloadBytes / running), end - start);
    const buffers = [Buffer.allocUnsafe(room), Buffer.allocUnsafe(room)] as const;
    let sent: Promise<void> = Promise.resolve();
    for (let at = start, turn: 0 | 1 = 0; at < end; turn = turn === 0 ? 1 : 0) {
      const buffer = buffers[turn].subarray(0, end - at);
      const got = await bytes.read(buffer, at);
      if (got === 0) throw new SpillwayError('FILE_CHANGED', `the file ends at byte ${at}, and had ${bytes.sizeBytes} when it was asked for`);
      await sent;
      sent = sink.write(buffer.subarray(0, got));
      sent.catch(() => undefined); // seen where it is awaited, which a failed read prevents
      at += got;
    }
    await sent;
  } finally {
    running--;
  }
}

/** What a `Range` header asks for: everything, where it is not to be followed; nothing, where it lies behind the end. */
export function partOf(header: string | undefined, size: number): Part | 'all' | 'none' {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '') ?? [];
  // Of nothing there are no ranges, and clients that ask for the first bytes of whatever it is are not to fail.
  if (first === undefined || last === undefined || size === 0) return 'all';
  if (first === '') {
    if (last === '') return 'all';
    return Number(last) === 0 ? 'none' : { start: Math.max(0, size - Number(last)), end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'all';
  return start >= size ? 'none' : { start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
}

/** Whether a list of entity tags names this one; a weak one does where no exact match is needed. */
function names(list: string, etag: string, isExact: boolean): boolean {
  if (list.trim() === '*') return true;
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => tag === etag || (!isExact && tag === `W/${etag}`));
}

/** What a 304 repeats. */
function revalidation(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => ['cache-control', 'vary'].includes(name)));
}
