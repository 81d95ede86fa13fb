import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sampleCapture } from '../../src/state/sample.js';
import { checksum } from '../../src/state/sample-packets.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';

interface Packet {
  timeUs: number;
  bytes: Buffer;
}

function packets(capture: Buffer): Packet[] {
  const found: Packet[] = [];
  for (let at = 24; at < capture.length;) {
    const length = capture.readUInt32LE(at + 8);
    found.push({ timeUs: capture.readUInt32LE(at) * 1e6 + capture.readUInt32LE(at + 4), bytes: capture.subarray(at + 16, at + 16 + length) });
    at += 16 + length;
  }
  return found;
}

describe('the sample capture', () => {
  const capture = sampleCapture();
  const all = packets(capture);

  it('is the same bytes every time', () => {
    expect(createHash('sha256').update(capture).digest('hex')).toBe(createHash('sha256').update(sampleCapture()).digest('hex'));
  });

  it('holds some hundred packets of one minute, in order', () => {
    expect(all.length).toBeGreaterThan(300);
    expect(all.every((packet, i) => i === 0 || packet.timeUs >= all[i - 1]!.timeUs)).toBe(true);
    expect(all.at(-1)!.timeUs - all[0]!.timeUs).toBeLessThan(60e6);
    expect(new Date(all[0]!.timeUs / 1000).toISOString()).toBe('2026-11-20T09:00:00.000Z');
  });

  it('has ARP, ICMP, TCP and UDP, with checksums that add up', () => {
    const kinds = new Set<string>();
    for (const { bytes } of all) {
      if (bytes.readUInt16BE(12) === 0x0806) kinds.add('arp');
      else kinds.add(checkedProtocol(bytes.subarray(14, 14 + bytes.readUInt16BE(16))));
    }
    expect([...kinds].sort()).toEqual(['arp', 'icmp', 'tcp', 'udp']);
  });

  describe.runIf(requireOrSkip('tcpdump', hasProgram('tcpdump')))('as tcpdump sees it', () => {
    it('has no bad checksum', () => {
      const text = execFileSync('tcpdump', ['-nvv', '-r', '-'], { input: capture, stdio: ['pipe', 'pipe', 'ignore'], encoding: 'utf8' });
      expect(text).toContain('(correct)');
      expect(text).not.toMatch(/incorrect|bad [a-z]*\s*cksum|wrong/i);
    });
  });
});

/** The name of the protocol of an IPv4 packet whose sums, taken over themselves, are all ones. */
function checkedProtocol(ip: Buffer): string {
  const [header, payload] = [ip.subarray(0, 20), ip.subarray(20)];
  expect(checksum(header)).toBe(0);
  if (header[9] === 1) {
    expect(checksum(payload)).toBe(0);
    return 'icmp';
  }
  const pseudo = Buffer.concat([header.subarray(12, 20), Buffer.from([0, header[9]!, payload.length >> 8, payload.length & 0xff])]);
  expect(checksum(pseudo, payload)).toBe(0);
  return header[9] === 6 ? 'tcp' : 'udp';
}
