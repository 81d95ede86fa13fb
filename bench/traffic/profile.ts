/** What kinds of traffic the bench knows: the mix of packet sizes and of protocols. Sizes are frames without their check sequence. */
import type { Random } from './random.js';

export type ProfileName = 'imix' | 'small';
export const PROFILES: readonly ProfileName[] = ['imix', 'small'];

/** Raised with every change that changes a byte of the output, so that no cached file of another making is taken for it. */
export const TRAFFIC_REVISION = 1;

/** The first packet's time, and the mean rate that spaces the packets, in bits a second on the wire. */
export const START_SECONDS = 1_700_000_000;
export const NANOSECONDS_PER_BYTE = 8; // 1 Gb/s
/** Preamble, check sequence and gap between frames. */
export const WIRE_OVERHEAD_BYTES = 24;

/** Shares out of 100. */
export const SHARE = { vlan: 8, ipv6: 10, udp: 25 } as const;

/** The rare host and port: each alone now and then, both in one packet once in `pairEvery` packets, evenly spread. */
export const RARE = {
  host: '192.0.2.77',
  hostWord: 0xc000024d,
  port: 7878,
  pairEvery: 100_000,
  hostEvery: 20_000,
  portEvery: 20_000,
} as const;

/** Server ports with their weights out of 100; what is left is spread over 1024..30000. */
export const TCP_PORTS: readonly (readonly [port: number, weight: number])[] = [
  [443, 50],
  [80, 15],
  [22, 5],
  [8080, 5],
  [25, 3],
  [993, 3],
];
export const UDP_PORTS: readonly (readonly [port: number, weight: number])[] = [
  [443, 40],
  [53, 30],
  [123, 5],
];

/** Simple IMIX, 7 : 4 : 1; the middle class is spread a little, so that record offsets have no pattern. */
function imixBytes(random: Random): number {
  const share = random.below(12);
  if (share < 7) return 60;
  return share < 11 ? random.between(560, 620) : 1514;
}

/** Untagged frame length; headers may make a frame longer than its class. */
export function frameBytes(profile: ProfileName, random: Random): number {
  return profile === 'imix' ? imixBytes(random) : random.between(64, 96);
}
