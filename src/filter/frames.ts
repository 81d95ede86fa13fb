/**
 * The words spoken with the compiling executable; native/compile/protocol.h defines them.
 * A frame is a u32 length and that many bytes, everything little-endian.
 */
import { MAX_ANSWER_BYTES } from './limits.js';

const PROTOCOL_VERSION = 1;
const KIND_COMPILE = 1;
const FLAG_OPTIMISE = 1;
const FLAG_REJECTS_ALL = 1;
const HEADER_BYTES = 8;

/** Statuses of an answer, in the order of their numbers. */
const STATUSES = ['program', 'refused', 'tooComplex', 'badRequest', 'versionMismatch', 'noLibpcap', 'failed', 'ready'] as const;

export interface Answer {
  id: number;
  status: (typeof STATUSES)[number];
  /** Of a program: libpcap finds that no packet can match. */
  rejectsAll: boolean;
  /** The program, or text in UTF-8; a copy of its own. */
  payload: Uint8Array;
}

export interface Request {
  linkType: number;
  snapLengthBytes: number;
  optimise: boolean;
  text: string;
}

export function encodeHello(version: string): Buffer {
  const body = Buffer.from(`SPWC\0\0\0\0${version}`);
  body.writeUInt32LE(PROTOCOL_VERSION, 4);
  return framed(body);
}

export function encodeRequest(id: number, request: Request): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(id, 0);
  header.writeUInt8(KIND_COMPILE, 4);
  header.writeUInt8(request.optimise ? FLAG_OPTIMISE : 0, 5);
  header.writeUInt16LE(request.linkType, 6);
  header.writeUInt32LE(request.snapLengthBytes, 8);
  return framed(Buffer.concat([header, Buffer.from(request.text)]));
}

function framed(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}

/** Cuts what the executable writes into answers. */
export class AnswerReader {
  #held: Buffer = Buffer.alloc(0);

  /** The answers that `chunk` completes; throws a RangeError on bytes that are none. */
  push(chunk: Buffer): Answer[] {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const answers: Answer[] = [];
    while (bytes.length >= 4) {
      const length = bytes.readUInt32LE(0);
      if (length < HEADER_BYTES || length > MAX_ANSWER_BYTES) throw new RangeError(`an answer of ${length} bytes`);
      if (bytes.length < 4 + length) break;
      answers.push(decode(bytes.subarray(4, 4 + length)));
      bytes = bytes.subarray(4 + length);
    }
    this.#held = bytes;
    return answers;
  }
}

function decode(body: Buffer): Answer {
  const status = STATUSES[body.readUInt8(4)];
  if (status === undefined) throw new RangeError(`an answer of status ${body.readUInt8(4)}`);
  return {
    id: body.readUInt32LE(0),
    status,
    rejectsAll: (body.readUInt8(5) & FLAG_REJECTS_ALL) !== 0,
    payload: Uint8Array.from(body.subarray(HEADER_BYTES)),
  };
}
