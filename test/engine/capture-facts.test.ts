import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { compress } from 'zstd-napi';
import { describe, expect, it } from 'vitest';
import { captureFacts, type CaptureFacts } from '../../src/engine/capture-facts.js';
import { pcap, udpFrame } from '../api/captures.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();

async function factsOf(bytes: Uint8Array): Promise<CaptureFacts | null> {
  const fd = openSync(folder.write('file', bytes), 'r');
  try {
    return await captureFacts(fd);
  } finally {
    closeSync(fd);
  }
}

function block(type: number, body: Buffer): Buffer {
  const length = 12 + body.length;
  const out = Buffer.alloc(length);
  out.writeUInt32LE(type, 0);
  out.writeUInt32LE(length, 4);
  body.copy(out, 8);
  out.writeUInt32LE(length, length - 4);
  return out;
}
const section = block(0x0a0d0d0a, Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex'));
/** `tsresol`: as its option has it. */
const description = (linkType: number, tsresol?: number): Buffer =>
  block(
    1,
    Buffer.concat([
      Buffer.from([linkType, 0, 0, 0, 0, 0, 0, 0]),
      ...(tsresol === undefined ? [] : [Buffer.from([9, 0, 1, 0, tsresol, 0, 0, 0, 0, 0, 0, 0])]),
    ]),
  );
const comment = (bytes: number): Buffer => block(0x0bad, Buffer.alloc(bytes));

const ns = pcap([{ ns: 10n ** 18n, bytes: udpFrame(1, 2) }]);
const us = Buffer.from(ns);
us.writeUInt32LE(0xa1b2c3d4, 0);
const swapped = Buffer.from(us.subarray(0, 24)).swap32();

describe('what the beginning of a file tells', () => {
  it.each<[string, Uint8Array, CaptureFacts | null]>([
    ['pcap, nanoseconds', ns, { format: 'pcap_ns', linkType: 1 }],
    ['pcap, microseconds', us, { format: 'pcap_us', linkType: 1 }],
    ['pcap, the header alone', us.subarray(0, 24), { format: 'pcap_us', linkType: 1 }],
    ['pcap, cut in a packet', us.subarray(0, 50), { format: 'pcap_us', linkType: 1 }],
    ['pcap, big-endian', Buffer.concat([swapped.subarray(0, 4), Buffer.from([0, 2, 0, 4]), swapped.subarray(8)]), { format: 'pcap_us', linkType: 1 }],
    ['gzip', gzipSync(ns), { format: 'pcap_ns', linkType: 1 }],
    ['gzip, cut', gzipSync(Buffer.concat([ns, Buffer.alloc(1000)])).subarray(0, -10), { format: 'pcap_ns', linkType: 1 }],
    ['zstd', compress(ns), { format: 'pcap_ns', linkType: 1 }],
    ['gzip of a text', gzipSync('text'), null],
    ['pcapng without an interface', section, { format: 'pcapng_us', linkType: null }],
    ['pcapng, microseconds', Buffer.concat([section, description(113)]), { format: 'pcapng_us', linkType: 113 }],
    ['pcapng, nanoseconds', Buffer.concat([section, description(1, 9)]), { format: 'pcapng_ns', linkType: 1 }],
    ['pcapng, milliseconds', Buffer.concat([section, description(1, 3)]), { format: 'pcapng_us', linkType: 1 }],
    ['pcapng, 2^-20 seconds', Buffer.concat([section, description(1, 0x80 | 20)]), { format: 'pcapng_us', linkType: 1 }],
    ['pcapng, 2^-32 seconds', Buffer.concat([section, description(1, 0x80 | 32)]), { format: 'pcapng_ns', linkType: 1 }],
    ['pcapng with other blocks first', Buffer.concat([section, comment(20_000), description(9)]), { format: 'pcapng_us', linkType: 9 }],
    [
      'pcapng with very many blocks first',
      Buffer.concat([section, ...Array<Buffer>(100).fill(comment(4096)), description(9)]),
      { format: 'pcapng_us', linkType: null },
    ],
    ['nothing', new Uint8Array(), null],
    ['a byte', Buffer.from('a'), null],
    ['a text', Buffer.from('a text that is no capture at all'), null],
    ['the head of a pcap', us.subarray(0, 23), null],
    ['zeros', Buffer.alloc(1 << 20), null],
    ['gzip of zeros', gzipSync(Buffer.alloc(8 << 20)), null],
    ['the magic of gzip', Buffer.from([0x1f, 0x8b]), null],
    ['zstd that skips', Buffer.concat([Buffer.from('502a4d18', 'hex'), Buffer.from([0, 0, 32, 0]), Buffer.alloc(2 << 20), compress(ns)]), null],
  ])('%s', async (_what, bytes, facts) => expect(await factsOf(bytes)).toEqual(facts));

  it('leaves no descriptor open, and reads little of a large file', async () => {
    const large = folder.write('large', Buffer.concat([us, Buffer.alloc(64 << 20)]));
    const before = readdirSync('/proc/self/fd').length;
    const read = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))![1]);
    const fd = openSync(large, 'r');
    const start = read();
    expect(await captureFacts(fd)).toEqual({ format: 'pcap_us', linkType: 1 });
    expect(read() - start).toBeLessThan(128 << 10);
    closeSync(fd);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    expect(readdirSync(join(folder.path)).sort()).toEqual(['file', 'large']);
  });
});
