/** Whole exports (filter, intervals, cut, limit, format): our output, read back by the tests' own reader, holds the packets that it should. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { ExportFormat } from '../../src/engine/types.js';
import { parseEpoch } from '../../src/units.js';
import { hasCorpora, requireOrSkip } from '../setup/require.js';
import { Agreement } from '../support/agreement.js';
import { corpus } from '../support/corpora.js';
import { NO_LIMITS, request, runExport } from '../support/engine.js';
import { readCapture, type Capture } from '../support/reader.js';

interface Case {
  id: string;
  file: string;
  filter: string;
  intervals: [from: string, to: string][];
  snap_length: number;
  /** 0: none. */
  packet_limit: number;
  output_format: string;
  packets: number;
  /** Sum of captured lengths written. */
  bytes: number;
  truncated_packets: number;
  digest: string;
}

/** SHA-256 over `u64 seconds, u32 fraction in the format's unit, u32 caplen, u32 wirelen` and the bytes of every packet. */
function digestOf({ packets }: Capture, isMicros: boolean): string {
  const hash = createHash('sha256');
  const head = Buffer.alloc(20);
  for (const { seconds, nanos, caplen, wirelen, data } of packets) {
    head.writeBigUInt64LE(seconds, 0);
    head.writeUInt32LE(Number(isMicros ? nanos / 1000n : nanos), 8);
    head.writeUInt32LE(caplen, 12);
    head.writeUInt32LE(wirelen, 16);
    hash.update(head).update(data);
  }
  return hash.digest('hex');
}

async function answer({ file, filter, intervals, snap_length, packet_limit, output_format }: Case): Promise<Record<string, unknown>> {
  const format = output_format.toLowerCase() as ExportFormat;
  const { bytes, receipt } = await runExport(
    request(corpus('captures', file), {
      filters: filter === '' ? [] : [filter],
      windows: intervals.map(([from, to]) => ({ startNs: parseEpoch(from), endNs: parseEpoch(to) })),
      snapLengthBytes: snap_length,
      limits: { ...NO_LIMITS, packets: BigInt(packet_limit) },
      format,
    }),
  );
  const capture = readCapture(bytes);
  return {
    container: capture.container,
    damageAt: capture.damageAt,
    packets: capture.packets.length,
    bytes: capture.packets.reduce((sum, { caplen }) => sum + caplen, 0),
    digest: digestOf(capture, format.endsWith('_us')),
    told: Number(receipt.packets_exported),
    toldBytes: Number(receipt.captured_bytes_exported),
    truncated_packets: Number(receipt.packets_cut),
  };
}

describe.runIf(requireOrSkip('the corpora', hasCorpora()))('exports of the corpora', () => {
  it('hold the packets that libpcap and the specification give', async () => {
    const agreement = new Agreement('export');
    const { cases } = JSON.parse(readFileSync(corpus('export', 'golden.json'), 'utf8')) as { cases: Case[] };
    for (const one of cases) {
      const { packets, bytes, digest, truncated_packets } = one;
      const container = one.output_format.startsWith('PCAPNG') ? 'pcapng' : 'pcap';
      const wanted = { container, damageAt: null, packets, bytes, digest, truncated_packets, told: packets, toldBytes: bytes };
      agreement.equal(one.id, await answer(one), wanted);
    }
    agreement.conclude(200);
  }, 120_000);
});
