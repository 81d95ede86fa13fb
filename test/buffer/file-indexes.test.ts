/** The index of files that are not ours: the same packets with it and without, and never that of another file. */
import { appendFileSync, copyFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../../bench/traffic/generate.js';
import { RARE } from '../../bench/traffic/profile.js';
import { FileIndexes } from '../../src/buffer/file-indexes.js';
import { createPool, type Pool } from '../../src/engine/pool.js';
import type { ExportRequest } from '../../src/engine/types.js';
import { NgBlocks, pcapHeader } from '../support/build.js';
import { request, runExport, type Exported } from '../support/engine.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const SIZE = 40 << 20;
const FIRST_NS = 1_700_000_000_000_000_000n;
const MS = 1_000_000n;

let indexes: FileIndexes;
let pool: Pool;
/** The pool, with the bytes that were read through an index, and those that were not. */
let counting: Pool;
const counted = { ranges: 0, whole: 0 };
const failures: Error[] = [];

beforeAll(() => {
  indexes = new FileIndexes(join(folder.path, 'index'), { report: (error) => void failures.push(error) });
  pool = createPool(2);
  counting = {
    ...pool,
    runs: (task) => {
      for (let i = 0; i < task.ranges.length; i += 2) counted.ranges += task.ranges[i + 1]! - task.ranges[i]!;
      return pool.runs(task);
    },
    range: (task) => {
      counted.whole += task.end - task.start;
      return pool.range(task);
    },
  };
});
afterAll(async () => {
  await indexes.close();
  await pool.close();
  expect(failures).toEqual([]);
});

function traffic(name: string, profile: 'imix' | 'small'): string {
  const pieces: Buffer[] = [];
  generate({ profile, seed: 7, bytes: SIZE }, (piece) => void pieces.push(Buffer.from(piece)));
  return folder.write(name, Buffer.concat(pieces));
}

/** The same packets as PCAPNG: two interfaces, the second described in the middle, then a section in the other byte order. */
function asPcapng(pcap: Buffer): Buffer {
  let blocks = new NgBlocks(false);
  const out = [blocks.section('first'), blocks.interface({ resolution: 9, name: 'a' })];
  let interfaces = 1;
  let swapped = false;
  for (let at = 24, n = 0; at + 16 <= pcap.length; n++) {
    const caplen = pcap.readUInt32LE(at + 8);
    if (at + 16 + caplen > pcap.length) break;
    if (interfaces === 1 && at > pcap.length / 3) {
      out.push(blocks.interface({ resolution: 6, name: 'b' }));
      interfaces = 2;
    }
    if (!swapped && at > (2 * pcap.length) / 3) {
      blocks = new NgBlocks(true);
      out.push(blocks.section('second'), blocks.interface({ resolution: 9, name: 'c' }));
      interfaces = 1;
      swapped = true;
    }
    const ns = BigInt(pcap.readUInt32LE(at)) * 1_000_000_000n + BigInt(pcap.readUInt32LE(at + 4)) * 1000n;
    const use = interfaces === 2 ? n % 2 : 0;
    out.push(blocks.enhanced({ interface: use, ticks: use === 1 ? ns / 1000n : ns, data: pcap.subarray(at + 16, at + 16 + caplen) }));
    at += 16 + caplen;
  }
  return Buffer.concat(out);
}

async function both(asked: ExportRequest): Promise<{ plain: Exported; indexed: Exported }> {
  const plain = await runExport(asked, { workers: 2 });
  const indexed = await runExport(asked, { workers: 2 }, { pool, indexes });
  return { plain, indexed };
}

/** Makes the index of a file, by asking for it. */
async function index(path: string): Promise<void> {
  await runExport(request(path, { filters: ['port 1'] }), {}, { pool, indexes });
  await indexes.settled();
}

const FILTERS = [
  `host ${RARE.host} and port ${RARE.port}`,
  `host ${RARE.host}`,
  `port ${RARE.port}`,
  'tcp port 443',
  'ip6 and udp port 53',
  'vlan and tcp port 80',
  'vlan 100',
  'net 10.4.0.0/14 and port 22',
  'portrange 20-25',
  'arp',
  'ether host 02:00:00:00:00:01',
  'not ip and not ip6',
  'host 192.0.2.1 or port 123',
  'less 70',
];

describe.each([
  ['imix', 'pcap'],
  ['small', 'pcap'],
  ['imix', 'pcapng'],
] as const)('%s as %s', (profile, container) => {
  let path: string;
  beforeAll(async () => {
    path = traffic(`${profile}.pcap`, profile);
    if (container === 'pcapng') path = folder.write(`${profile}.pcapng`, asPcapng(readFileSync(path)));
    await index(path);
    expect(failures).toEqual([]);
  }, 60_000);

  it.each(FILTERS)('%s: the same packets', async (filter) => {
    const { plain, indexed } = await both(request(path, { filters: [filter], format: 'pcapng_ns' }));
    expect(indexed.bytes.equals(plain.bytes)).toBe(true);
    expect(indexed.receipt).toEqual(plain.receipt);
  });

  it.each([
    ['a slice', [{ startNs: FIRST_NS + 100n * MS, endNs: FIRST_NS + 103n * MS }]],
    [
      'two slices',
      [
        { startNs: FIRST_NS, endNs: FIRST_NS + 5n * MS },
        { startNs: FIRST_NS + 200n * MS, endNs: null },
      ],
    ],
    ['before all', [{ startNs: null, endNs: FIRST_NS - 1n }]],
  ] as const)('%s, with a filter and without: the same packets', async (_, windows) => {
    for (const filters of [[], ['tcp port 443'], [`port ${RARE.port}`]]) {
      const { plain, indexed } = await both(request(path, { filters, windows: [...windows], format: 'pcapng_us' }));
      expect(indexed.bytes.equals(plain.bytes)).toBe(true);
      expect(indexed.receipt).toEqual(plain.receipt);
    }
  });

  it('stops where a rule stops it', async () => {
    for (const packets of [1n, 10n, 500n]) {
      const { plain, indexed } = await both(request(path, { filters: ['portrange 20-25'], limits: { packets, capturedBytes: 0n, durationNs: 0n } }));
      expect(indexed.bytes.equals(plain.bytes)).toBe(true);
      expect(indexed.receipt.packets_exported).toBe(plain.receipt.packets_exported);
    }
  });

  it('reads only a part of the file for what is rare, and nothing where no packet can match', async () => {
    await runExport(request(path, { filters: [`host ${RARE.host} and port ${RARE.port}`] }), {}, { pool: counting, indexes });
    expect(counted.whole).toBe(0);
    expect(counted.ranges).toBeGreaterThan(0);
    expect(counted.ranges).toBeLessThan(SIZE / 4);
    counted.ranges = 0;
    await runExport(request(path, { windows: [{ startNs: FIRST_NS - 10n, endNs: FIRST_NS - 5n }] }), {}, { pool: counting, indexes });
    expect(counted.whole).toBe(0);
    // Blocks that describe interfaces are always read.
    expect(counted.ranges).toBeLessThan(4 * 80_000);
  });
});

describe('an index', () => {
  const made = (): string[] => readdirSync(join(folder.path, 'index')).filter((name) => name.endsWith('.index'));
  const asked = (path: string): ExportRequest => request(path, { filters: ['tcp port 443'] });

  it('is not made for a small file, nor where nothing selects', async () => {
    const before = made().length;
    await index(folder.write('small-file.pcap', pcapHeader({})));
    await runExport(request(join(folder.path, 'imix.pcap')), {}, { pool, indexes });
    await indexes.settled();
    expect(made().length).toBe(before);
  });

  it('of a file that changed is made anew, and the old one never used', async () => {
    const path = join(folder.path, 'changing.pcap');
    copyFileSync(join(folder.path, 'imix.pcap'), path);
    await index(path);
    const whole = readFileSync(path);
    const changes: (() => void)[] = [
      () => appendFileSync(path, whole.subarray(24, 24 + 5_000_000 - (5_000_000 % 1))),
      () => truncateSync(path, 30 << 20),
      () => writeFileSync(path, traffic('other.pcap', 'small') && readFileSync(join(folder.path, 'other.pcap'))),
      () => utimesSync(path, 1, 1),
    ];
    for (const change of changes) {
      change();
      // Without an index of its own at first, with one then.
      for (let round = 0; round < 2; round++) {
        const { plain, indexed } = await both(asked(path));
        expect(indexed.bytes.equals(plain.bytes)).toBe(true);
        expect(indexed.receipt).toEqual(plain.receipt);
        await indexes.settled();
      }
    }
  }, 60_000);

  it('that is cut or flipped is not used, and made anew', async () => {
    const path = join(folder.path, 'damaged-index.pcap');
    copyFileSync(join(folder.path, 'imix.pcap'), path);
    await index(path);
    const stat = statSync(path, { bigint: true });
    const file = join(folder.path, 'index', `${stat.dev}-${stat.ino}.index`);
    const whole = readFileSync(file);
    const plain = await runExport(asked(path), { workers: 2 });
    for (const at of [0, 8, 100, Math.floor(whole.length / 2), whole.length - 1]) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 0x10;
      for (const bytes of [flipped, whole.subarray(0, at)]) {
        writeFileSync(file, bytes);
        const indexed = await runExport(asked(path), { workers: 2 }, { pool, indexes });
        expect(indexed.bytes.equals(plain.bytes)).toBe(true);
        await indexes.settled();
      }
    }
  }, 60_000);

  it('of a damaged file reaches to the damage, which is told all the same', async () => {
    const whole = readFileSync(join(folder.path, 'imix.pcap'));
    whole.writeUInt32LE(0xffffffff, recordAfter(whole, 25 << 20) + 8);
    const path = folder.write('damaged.pcap', whole);
    await index(path);
    const { plain, indexed } = await both(asked(path));
    expect(plain.receipt.damage).toHaveLength(1);
    expect(indexed.bytes.equals(plain.bytes)).toBe(true);
    expect(indexed.receipt).toEqual(plain.receipt);
  });

  it('that is given up leaves nothing behind', async () => {
    const other = new FileIndexes(join(folder.path, 'given-up'));
    await runExport(asked(join(folder.path, 'imix.pcap')), {}, { pool, indexes: other });
    await other.close();
    const left = existsSync(join(folder.path, 'given-up')) ? readdirSync(join(folder.path, 'given-up')) : [];
    expect(left.filter((name) => !name.endsWith('.index'))).toEqual([]);
  });
});

function recordAfter(pcap: Buffer, offset: number): number {
  let at = 24;
  while (at < offset) at += 16 + pcap.readUInt32LE(at + 8);
  return at;
}
