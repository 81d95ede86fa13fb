/** The traffic: the same seed gives the same bytes, and what comes out is what a profile says. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generate, type TrafficFacts, type TrafficRequest } from '../../bench/traffic/generate.js';
import { PROFILES, RARE, type ProfileName } from '../../bench/traffic/profile.js';
import { Random } from '../../bench/traffic/random.js';
import { packetsOf, sumOf, type TestPacket } from './packets.js';

const MEBI = 1 << 20;

function made(request: TrafficRequest): { bytes: Buffer; facts: TrafficFacts } {
  const pieces: Buffer[] = [];
  const facts = generate(request, (piece) => pieces.push(Buffer.from(piece)));
  return { bytes: Buffer.concat(pieces), facts };
}

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A change of these bytes needs a new TRAFFIC_REVISION, or cached files of the old making would be measured. */
const PINNED: Record<ProfileName, string> = {
  imix: 'dd6029906e3be15d3dac5be34d2578862fc699ccca98486ad22a3eb00978920e',
  small: 'c6833bd353dc58935e3831051df5dd32b73d71cb819c40d018dd954ac3a0d0f5',
};

describe.each(PROFILES)('%s traffic', (profile) => {
  const { bytes, facts } = made({ profile, seed: 1, bytes: 6 * MEBI });
  const packets = packetsOf(bytes);

  it('is pinned', () => {
    expect(hash(made({ profile, seed: 1, bytes: MEBI }).bytes)).toBe(PINNED[profile]);
  });

  it('is the beginning of every longer one, and differs with the seed', () => {
    const short = made({ profile, seed: 1, bytes: MEBI + 12345 }).bytes;
    expect(bytes.subarray(0, short.length).equals(short)).toBe(true);
    const other = made({ profile, seed: 2, bytes: MEBI }).bytes;
    expect(bytes.subarray(0, other.length).equals(other)).toBe(false);
  });

  it('is as long as asked, and not a packet longer', () => {
    expect(facts.bytes).toBe(bytes.length);
    expect(bytes.length).toBeGreaterThanOrEqual(6 * MEBI);
    expect(bytes.length - packets.at(-1)!.recordBytes).toBeLessThan(6 * MEBI);
  });

  it('tells its facts', () => {
    expect(facts.packets).toBe(packets.length);
    expect(facts.firstNs).toBe(packets[0]!.timeNs);
    expect(facts.lastNs).toBe(packets.at(-1)!.timeNs);
    expect(facts.rarePairs).toBe(packets.filter(isRarePair).length);
  });

  it('has times that never step back', () => {
    expect(packets.every(({ timeNs }, i) => i === 0 || timeNs >= packets[i - 1]!.timeNs)).toBe(true);
  });

  it('has right checksums', () => {
    // The sum over a part with its checksum in place is all ones.
    for (const packet of packets.slice(0, 3000)) {
      if (packet.version === 4) expect(sumOf([packet.ipHeader])).toBe(0xffff);
      expect(sumOf([packet.pseudoHeader, packet.transport])).toBe(0xffff);
    }
  });

  it('mixes protocols and ports as the profile says', () => {
    const share = (test: (packet: TestPacket) => boolean): number => packets.filter(test).length / packets.length;
    expect(share(({ tagged }) => tagged)).toBeCloseTo(0.08, 1);
    expect(share(({ version }) => version === 6)).toBeCloseTo(0.1, 1);
    expect(share(({ protocol }) => protocol === 17)).toBeCloseTo(0.25, 1);
    const isHttps = ({ protocol, ports }: TestPacket): boolean => protocol === 6 && ports.includes(443);
    expect(share(isHttps)).toBeGreaterThan(0.25);
    expect(share(isHttps)).toBeLessThan(0.5);
    expect(share(({ ports }) => ports.includes(53))).toBeGreaterThan(0.02);
    expect(share(({ ports }) => ports.includes(80))).toBeGreaterThan(0.05);
  });

  it('has many flows', () => {
    const flows = new Set(packets.map(({ addresses, ports }) => [...addresses, ...ports].sort().join()));
    expect(flows.size).toBeGreaterThan(packets.length / 20);
  });
});

const isRarePair = ({ addresses, ports }: TestPacket): boolean => addresses.includes(RARE.host) && ports.includes(RARE.port);

describe('profiles', () => {
  const lengths = (profile: ProfileName): number[] =>
    packetsOf(made({ profile, seed: 3, bytes: 4 * MEBI }).bytes).map((packet) => packet.frame.length);

  it('imix has three sizes about 7 : 4 : 1', () => {
    const all = lengths('imix');
    const share = (low: number, high: number): number => all.filter((length) => length >= low && length <= high).length / all.length;
    expect(share(60, 78)).toBeCloseTo(7 / 12, 1);
    expect(share(560, 624)).toBeCloseTo(4 / 12, 1);
    expect(share(1514, 1518)).toBeCloseTo(1 / 12, 1);
    expect(share(60, 78) + share(560, 624) + share(1514, 1518)).toBe(1);
  });

  it('small has packets of 64 to 100 bytes', () => {
    const all = lengths('small');
    expect(Math.min(...new Set(all))).toBe(64);
    expect(Math.max(...new Set(all))).toBe(100);
  });
});

describe('the rare host and port', () => {
  it('meet about once in so many packets, evenly spread, and each is there alone', () => {
    const { facts, bytes } = made({ profile: 'small', seed: 1, bytes: 64 * MEBI });
    const packets = packetsOf(bytes);
    const at = packets.flatMap((packet, i) => (isRarePair(packet) ? [i] : []));
    expect(at.length).toBe(facts.rarePairs);
    expect(at.length).toBeGreaterThanOrEqual(4);
    for (const [i, n] of at.entries()) {
      const gap = n - (at[i - 1] ?? 0);
      expect(gap).toBeGreaterThan(RARE.pairEvery / 2 - 1);
      expect(gap).toBeLessThan((RARE.pairEvery * 3) / 2 + 100);
    }
    expect(packets.filter(({ addresses, ports }) => addresses.includes(RARE.host) && !ports.includes(RARE.port)).length).toBeGreaterThan(10);
    expect(packets.filter(({ addresses, ports }) => !addresses.includes(RARE.host) && ports.includes(RARE.port)).length).toBeGreaterThan(10);
  });
});

describe('Random', () => {
  it('gives the words of xoshiro128** from splitmix32', () => {
    const random = new Random(1);
    expect([random.next(), random.next(), random.next()]).toEqual([393288148, 2174103013, 3814759091]);
  });

  it('spreads evenly and keeps its bounds', () => {
    const random = new Random(7);
    const counts = new Array<number>(10).fill(0);
    for (let n = 0; n < 100_000; n++) counts[random.below(10)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(9_500);
    expect(Math.max(...counts)).toBeLessThan(10_500);
    for (let n = 0; n < 1000; n++) expect([5, 6, 7]).toContain(random.between(5, 7));
  });
});
