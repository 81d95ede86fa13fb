import { describe, expect, it } from 'vitest';
import { gzipSync } from 'node:zlib';
import { compress } from 'zstd-napi';
import { detectCompression } from '../../src/engine/detect.js';
import { NgBlocks, pcapHeader } from '../support/build.js';

describe('detectCompression', () => {
  it('knows what it is by the first bytes', () => {
    expect(detectCompression(gzipSync('x'))).toBe('gzip');
    expect(detectCompression(compress(Buffer.from('x')))).toBe('zstd');
    expect(detectCompression(Buffer.from('502a4d1801000000', 'hex'))).toBe('zstd');
    expect(detectCompression(Buffer.from('5f2a4d1801000000', 'hex'))).toBe('zstd');
  });
  it('takes captures and anything else as they are', () => {
    for (const bytes of [
      pcapHeader(),
      pcapHeader({ big: true, nanos: true }),
      new NgBlocks().section(),
      Buffer.from('random'),
      Buffer.from('602a4d18', 'hex'),
    ])
      expect(detectCompression(bytes)).toBe(null);
  });
  it('needs enough to see', () => {
    expect(detectCompression(Buffer.alloc(0))).toBe(null);
    expect(detectCompression(Buffer.from([0x1f]))).toBe(null);
    expect(detectCompression(Buffer.from([0x1f, 0x8b]))).toBe('gzip');
    expect(detectCompression(Buffer.from([0x28, 0xb5, 0x2f]))).toBe(null);
  });
  it('looks at the view, not at the buffer behind it', () => {
    const behind = Buffer.concat([Buffer.from('xxxx'), compress(Buffer.from('x'))]);
    expect(detectCompression(behind.subarray(4))).toBe('zstd');
  });
});
