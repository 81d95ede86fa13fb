/** What the program says of input it can not use: within a second, one coded sentence, and nothing left behind. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NgBlocks, payload, pcapHeader } from '../support/build.js';
import { temporaryFolder } from '../support/temporary.js';
import { expectSentence, seconds, spillway, type Ended } from './support.js';

const folder = temporaryFolder();
const good = folder.write('good.pcap', seconds(10));
const write = (name: string, bytes: Uint8Array): string => folder.write(name, bytes);
const noise = (bytes: number): Buffer => Buffer.from(Array.from({ length: bytes }, (_, i) => (i * i * 7919 + 13) & 0xff));
const mixed = (): Buffer => {
  const ng = new NgBlocks();
  const packets = [0, 1].map((id) => ng.enhanced({ interface: id, ticks: 1_000_000n, data: payload(60) }));
  return Buffer.concat([ng.section(), ng.interface({ linkType: 1 }), ng.interface({ linkType: 101 }), ...packets]);
};

/** What a busy machine may take to start a process, beside the second that the work itself may take. */
const LIMIT_MS = 1000 + 3000;

async function expectRefusal(args: string[], exit: number, code: string, input?: Uint8Array): Promise<Ended> {
  const before = readdirSync(folder.path);
  const end = await spillway(args, input);
  expectSentence(end.stderr, code);
  expect({ exit: end.exit, stdout: end.stdout.length }).toEqual({ exit, stdout: 0 });
  expect(end.tookMs).toBeLessThan(LIMIT_MS);
  expect(readdirSync(folder.path)).toEqual(before);
  return end;
}

const SOURCES: [what: string, code: string, path: string][] = [
  ['a missing file', 'SOURCE_NOT_FOUND', join(folder.path, 'missing')],
  ['a file in a file', 'SOURCE_NOT_FOUND', join(good, 'x')],
  ['a folder', 'SOURCE_NOT_A_CAPTURE', folder.path],
  ['an empty file', 'SOURCE_NOT_A_CAPTURE', write('empty', Buffer.alloc(0))],
  ['one byte', 'SOURCE_NOT_A_CAPTURE', write('one', Buffer.from([0xd4]))],
  ['random bytes', 'SOURCE_NOT_A_CAPTURE', write('noise', noise(5000))],
  ['a wrong magic number', 'SOURCE_NOT_A_CAPTURE', write('magic', Buffer.concat([Buffer.from([0xd4, 0xc3, 0xb2, 0xa2]), seconds(3).subarray(4)]))],
  ['half a header', 'SOURCE_NOT_A_CAPTURE', write('half', pcapHeader().subarray(0, 12))],
  ['random bytes behind a gzip magic number', 'SOURCE_NOT_A_CAPTURE', write('gzip', Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), noise(5000)]))],
  [
    'random bytes behind a zstd magic number',
    'SOURCE_NOT_A_CAPTURE',
    write('zstd', Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), noise(5000)])),
  ],
];

describe.each(SOURCES)('%s', (_, code, path) => {
  it('can not be exported', async () => {
    const { stderr } = await expectRefusal(['export', path, '-o', join(folder.path, 'out')], 2, code);
    expect(stderr, 'it names the source').toContain(path);
  });
  it('has no info', () => expectRefusal(['info', path], 2, code));
  it('can not be exported with others', () => expectRefusal(['export', good, path], 2, code));
});

describe('on standard input', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['random bytes', noise(5000)],
    ['half a header', pcapHeader().subarray(0, 12)],
  ])('%s', async (_, bytes) => {
    for (const command of ['export', 'info']) {
      const { stderr } = await expectRefusal([command, '-'], 2, 'SOURCE_NOT_A_CAPTURE', bytes);
      expect(stderr).toContain('standard input');
    }
  });
});

describe('a request that can not be', () => {
  const raw = write('raw.pcap', seconds(3, { linkType: 101 }));
  it.each([
    ['a filter that does not parse', ['-f', 'tcp prt 80'], good, 1, 'FILTER_INVALID'],
    ['a second filter that does not parse', ['-f', 'tcp', '-f', '(udp'], good, 1, 'FILTER_INVALID'],
    ['a STEELFILTER with an unknown column', ['--steel', 'app.id == 1'], good, 1, 'FILTER_INVALID'],
    ['a STEELFILTER that is empty', ['--steel='], good, 1, 'FILTER_INVALID'],
    ['a STEELFILTER that begins like an option', ['--steel=--output=x'], good, 1, 'FILTER_INVALID'],
    ['a STEELFILTER for the wrong link type', ['--steel', 'vlan.id == 1'], write('wifi.pcap', seconds(3, { linkType: 105 })), 1, 'FILTER_LINK_TYPE'],
    ['a host name in a filter', ['-f', 'host localhost'], good, 1, 'FILTER_INVALID'],
    ['a filter for the wrong link type', ['-f', 'ether host 0:1:2:3:4:5'], raw, 1, 'FILTER_LINK_TYPE'],
    ['a range that ends before it begins', ['--from', '2', '--to', '1'], good, 1, 'TIME_INVALID'],
    ['an interval that ends before it begins', ['--interval', '-5s..-10s'], good, 1, 'TIME_INVALID'],
    ['more than one link type in pcap', [], write('mixed.pcapng', mixed()), 2, 'OUTPUT_LINK_TYPES'],
  ])('%s', async (_, args, source, exit, code) => {
    await expectRefusal(['export', source, ...args, '-o', join(folder.path, 'out')], exit, code);
  });

  it("a filter's sentence holds the text of libpcap", async () => {
    const { stderr } = await spillway(['export', good, '-f', 'ether host 1.2.3']);
    expect(stderr).toMatch(/expected|illegal|syntax|invalid|parse/i);
  });
});
