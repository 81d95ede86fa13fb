/** PREPARE tells of each filter what becomes of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pcap, udpFrame } from './captures.js';
import { BASE, TestProbe } from './server.js';

let probe: TestProbe;
beforeAll(async () => {
  probe = await TestProbe.start();
  const place = join(probe.data.path, 'fs', 'admin');
  mkdirSync(place, { recursive: true });
  const packets = [53, 53, 443].map((port, i) => ({ ns: BigInt(i) * 1_000_000_000n, bytes: udpFrame(1000 + i, port) }));
  writeFileSync(join(place, 'x.pcap'), pcap(packets));
});
afterAll(() => probe.stop());

interface Explained {
  type: string;
  value: string;
  engine: string;
  programs: { link_type: string; needs: string[]; instructions: number; program?: string[] }[];
  packets: { low: number; likely: number; high: number };
  bytes_to_read: number;
}

async function explained(...items: { type: string; value: string }[]): Promise<Explained[]> {
  const filters = { items: items.map((item, i) => ({ id: String(i), ...item })) };
  const id = await probe.create({ path: 'fs/admin/x.pcap', mode: 'PREPARE', filters });
  const { estimate } = await probe.json<{ estimate: { filters: Explained[] } }>(`${BASE}/exports/items/${id}`);
  return estimate.filters;
}

it('each filter by itself: its engine, program and needs, and what it would give alone', async () => {
  const told = await explained({ type: 'BPF', value: 'udp port 53' }, { type: 'STEELFILTER', value: 'dst_udp.port == 443' });
  expect(told.map(({ type, value, engine, packets }) => [type, value, engine, packets.low, packets.high])).toEqual([
    ['BPF', 'udp port 53', 'program', 2, 2],
    ['STEELFILTER', 'dst_udp.port == 443', 'program', 1, 1],
  ]);
  for (const { programs } of told) {
    expect(programs).toHaveLength(1);
    expect(programs[0]!.link_type).toBe('EN10MB');
    expect(programs[0]!.program).toHaveLength(programs[0]!.instructions);
  }
  expect(told[0]!.programs[0]!.needs).toContain('port 53');
  expect(told[1]!.programs[0]!.needs).toContainEqual(expect.stringMatching(/port 443/));
});

it('without a filter there is nothing to tell', async () => {
  expect(await explained()).toEqual([]);
});

it('a program that is very long is only counted', async () => {
  const value = Array.from({ length: 600 }, (_, i) => `(src_ip.addr == 10.${i >> 8}.${i & 255}.7 and udp.port == ${1000 + i})`).join(' or ');
  const [told] = await explained({ type: 'STEELFILTER', value });
  expect(told!.programs[0]!.instructions).toBeGreaterThan(500);
  expect(told!.programs[0]!.program).toBeUndefined();
});
