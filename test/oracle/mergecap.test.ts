/**
 * mergecap -w and an export of several sources write the same packets in the same order.
 *
 * Where mergecap goes its own way: of equal times it takes the packet of the file named last, so that it is given the
 * files in the opposite order here; and it ends where a file is damaged, while an export goes on with the others.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExportFormat } from '../../src/engine/types.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { NgBlocks, payload, pcapFile } from '../support/build.js';
import { fileSource, request, runExport } from '../support/engine.js';
import { plain, plainFile, run, samples, traffic } from '../support/oracle.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const files = samples(folder.write);

const TYPES: [type: string, format: ExportFormat][] = [
  ['pcap', 'pcap_us'],
  ['nsecpcap', 'pcap_ns'],
  ['pcapng', 'pcapng_ns'],
];

const ours = async (paths: string[], format: ExportFormat): Promise<Buffer> => (await runExport(request(paths.map(fileSource), { format }))).bytes;

/** Null where mergecap can not do it: it does not know some link types. */
function theirs(paths: string[], type: string): string | null {
  const to = join(folder.path, 'mergecap.out');
  const { ok, stderr } = run('mergecap', ['-F', type, '-w', to, ...[...paths].reverse()]);
  if (ok) return to;
  expect(stderr, paths.join(' ')).toMatch(/can't be saved|doesn't support|unsupported|isn't supported/i);
  return null;
}

/** Deals the records of a pcap file to `count` files, not in turn; each keeps their order. */
function deal(name: string, path: string, count: number): string[] {
  const bytes = readFileSync(path);
  const parts = Array.from({ length: count }, () => [bytes.subarray(0, 24)]);
  let start = 24;
  for (const [n, { end }] of readCapture(bytes).packets.entries()) {
    parts[((n * 7919) >> 3) % count]!.push(bytes.subarray(start, end));
    start = end;
  }
  return parts.map((records, i) => folder.write(`${name}.${i}`, Buffer.concat(records)));
}

const linkTypeOf = (path: string): number | null => {
  const types = [...new Set(readCapture(readFileSync(path)).interfaces.map(({ linkType }) => linkType))];
  return types.length === 1 ? types[0]! : null;
};

describe.runIf(requireOrSkip('mergecap', hasProgram('mergecap')))('mergecap', () => {
  const pcaps = files.filter(([, path]) => {
    const { container, packets } = readCapture(readFileSync(path));
    return container === 'pcap' && packets.length > 3;
  });

  it.each(TYPES)(
    '-F %s merges what was dealt out as we do',
    async (type, format) => {
      let compared = 0;
      let steps = 0;
      for (const [name, path] of pcaps) {
        const parts = deal(name, path, 2 + (compared % 4));
        const wanted = theirs(parts, type);
        if (wanted === null) continue;
        const got = plain(readCapture(await ours(parts, format)));
        expect(got, name).toEqual(plainFile(wanted));
        compared += 1;
        steps += got.length;
      }
      console.log(
        `mergecap -F ${type}: ${compared} of ${pcaps.length} captures, dealt to 2 to 5 files each, come together the same (${steps} packets)`,
      );
      expect(compared).toBeGreaterThan(pcaps.length * 0.8);
    },
    120_000,
  );

  it('-F pcap writes the same file, byte for byte', async () => {
    const shapes = [{}, { big: true }, { nanos: true }];
    const paths = shapes.flatMap((shape, i) => deal(`bytes${i}`, folder.write(`bytes${i}`, traffic(shape, 1000)), 3));
    const wanted = theirs(paths, 'pcap');
    expect(readFileSync(wanted!).equals(await ours(paths, 'pcap_us'))).toBe(true);
  });

  it('merges captures of all kinds as we do, those of one link type in PCAP', async () => {
    const groups = new Map<number, string[]>();
    for (const [, path] of files) {
      const linkType = linkTypeOf(path);
      if (linkType !== null) groups.set(linkType, [...(groups.get(linkType) ?? []), path]);
    }
    let compared = 0;
    for (const paths of groups.values()) {
      if (paths.length < 2) continue;
      for (const [type, format] of TYPES) {
        for (let i = 0; i + 1 < paths.length; i += 4) {
          const some = paths.slice(i, i + 5);
          const wanted = theirs(some, type);
          if (wanted === null) continue;
          expect(plain(readCapture(await ours(some, format))), some.join(' ')).toEqual(plainFile(wanted));
          compared += 1;
        }
      }
    }
    console.log(`mergecap: ${compared} groups of up to five captures merge the same`);
    expect(compared).toBeGreaterThanOrEqual(3);
  }, 120_000);

  it('keeps packets of several link types and interfaces apart as we do, in PCAPNG', async () => {
    const interfaces = (type: number, names: string[], ticks: bigint[]): Buffer => {
      const blocks = new NgBlocks(type === 101);
      return Buffer.concat([
        blocks.section(),
        ...names.map((name) => blocks.interface({ linkType: type, resolution: 9, name })),
        ...ticks.map((tick, n) => blocks.enhanced({ interface: n % names.length, ticks: tick, data: payload(40 + n, n) })),
      ]);
    };
    const paths = [
      folder.write('one.pcapng', interfaces(1, ['a', 'b'], [5n, 7n, 9n, 9n, 12n])),
      folder.write('two.pcapng', interfaces(101, ['c'], [1n, 7n, 3n, 20n])),
      folder.write(
        'three.pcap',
        pcapFile(
          [8, 9, 30].map((ns) => ({ seconds: 0, fraction: ns, data: payload(50, ns) })),
          { nanos: true, linkType: 113 },
        ),
      ),
    ];
    const told = (bytes: Buffer): unknown[] => {
      const { packets, interfaces: all } = readCapture(bytes);
      return packets.map((packet) => [packet.timeNs, packet.linkType, all[packet.interface]!.name, packet.data.toString('hex')]);
    };
    expect(told(await ours(paths, 'pcapng_ns'))).toEqual(told(readFileSync(theirs(paths, 'pcapng')!)));
  });

  it('reads what we merge', async () => {
    const paths = deal('again', folder.write('again', traffic()), 4);
    for (const [, format] of TYPES) {
      const path = folder.write('ours', await ours(paths, format));
      expect(plainFile(theirs([path], 'pcapng')!)).toEqual(plainFile(path));
    }
  });

  it('ends where a file is damaged, and we do not', async () => {
    const whole = traffic({}, 100);
    const cut = folder.write('cut.pcap', whole.subarray(0, whole.length - 3));
    const other = folder.write('other.pcap', traffic({}, 200));
    const { ok, stderr } = run('mergecap', ['-F', 'pcap', '-w', join(folder.path, 'ended'), cut, other]);
    expect(ok).toBe(false);
    expect(stderr).toMatch(/cut short/);
    const { bytes, receipt } = await runExport(request([cut, other].map(fileSource), { format: 'pcap_us' }));
    expect(readCapture(bytes).packets).toHaveLength(299);
    expect(receipt.damage).toHaveLength(1);
  });
});
