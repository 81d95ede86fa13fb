import { describe, expect, it } from 'vitest';
import { AnswerReader, encodeHello, encodeRequest } from '../../src/filter/frames.js';
import { MAX_ANSWER_BYTES } from '../../src/filter/limits.js';

function answer(id: number, status: number, flags: number, payload: string): Buffer {
  const bytes = Buffer.alloc(12 + payload.length);
  bytes.writeUInt32LE(8 + payload.length, 0);
  bytes.writeUInt32LE(id, 4);
  bytes.writeUInt8(status, 8);
  bytes.writeUInt8(flags, 9);
  bytes.write(payload, 12);
  return bytes;
}

describe('frames', () => {
  it('writes hello and requests as protocol.h lays them out', () => {
    expect(encodeHello('1.2').toString('hex')).toBe('0b00000053505743' + '01000000' + '312e32');
    const request = { linkType: 0x114, snapLengthBytes: 262144, optimise: true, text: 'ip é' };
    expect(encodeRequest(7, request).toString('hex')).toBe('11000000' + '07000000' + '0101' + '1401' + '00000400' + '697020c3a9');
    expect(encodeRequest(7, { ...request, optimise: false }).readUInt8(9)).toBe(0);
  });

  it('reads answers however they are cut', () => {
    const stream = Buffer.concat([answer(1, 0, 1, '12345678'), answer(2, 1, 0, 'no'), answer(3, 2, 0, '')]);
    for (const size of [1, 3, 7, 12, 13, stream.length]) {
      const reader = new AnswerReader();
      const got = [];
      for (let at = 0; at < stream.length; at += size) got.push(...reader.push(stream.subarray(at, at + size)));
      expect(got.map(({ id, status, rejectsAll, payload }) => [id, status, rejectsAll, Buffer.from(payload).toString()])).toEqual([
        [1, 'program', true, '12345678'],
        [2, 'refused', false, 'no'],
        [3, 'tooComplex', false, ''],
      ]);
    }
  });

  it('gives payloads that do not share memory with what was read', () => {
    const bytes = answer(1, 0, 0, 'abcdefgh');
    const [got] = new AnswerReader().push(bytes);
    bytes.fill(0);
    expect(Buffer.from(got?.payload ?? []).toString()).toBe('abcdefgh');
    expect(got?.payload.buffer.byteLength).toBe(8);
  });

  it('refuses what is no answer', () => {
    const length = (n: number) => Buffer.from(new Uint32Array([n]).buffer);
    expect(() => new AnswerReader().push(length(7))).toThrow(RangeError);
    expect(() => new AnswerReader().push(length(MAX_ANSWER_BYTES + 1))).toThrow(RangeError);
    expect(() => new AnswerReader().push(length(0xffffffff))).toThrow(RangeError);
    expect(() => new AnswerReader().push(answer(1, 99, 0, ''))).toThrow(RangeError);
    expect(new AnswerReader().push(length(MAX_ANSWER_BYTES))).toEqual([]);
  });
});
