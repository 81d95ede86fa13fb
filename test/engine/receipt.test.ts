/** A receipt that can fail: packets that are lost on the way are found, wherever that is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileIndexes } from '../../src/buffer/file-indexes.js';
import { prepareExport } from '../../src/engine/export.js';
import { createInlinePool, type Pool } from '../../src/engine/pool.js';
import type { ScanResult } from '../../src/engine/tasks.js';
import type { ExportFormat, ExportRequest, Sink } from '../../src/engine/types.js';
import { crc32c, REPORT } from '../../src/native.js';
import { generate } from '../../bench/traffic/generate.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const SIZE = 24_000_000;

function traffic(): string {
  const pieces: Buffer[] = [];
  generate({ profile: 'imix', seed: 7, bytes: SIZE }, (piece) => void pieces.push(Buffer.from(piece)));
  return folder.write('traffic.pcap', Buffer.concat(pieces));
}
const path = traffic();

const request = (format: ExportFormat): ExportRequest => ({
  sources: [{ path, name: 'traffic' }],
  filters: [],
  windows: [],
  snapLengthBytes: 0,
  limits: { packets: 0n, capturedBytes: 0n, durationNs: 0n },
  format,
});

class Kept implements Sink {
  readonly chunks: Buffer[] = [];
  ended = '';
  async write(bytes: Uint8Array): Promise<void> {
    this.chunks.push(Buffer.from(bytes));
  }
  async finish(): Promise<void> {
    this.ended = 'finished';
  }
  async abort(): Promise<void> {
    this.ended = 'aborted';
  }
}

/** Workers whose third result is not what it was. */
function tampered(change: (result: ScanResult, slot: Uint8Array) => void): Pool {
  const pool = createInlinePool();
  let results = 0;
  const changing = <T extends ScanResult>(result: T, slot: Uint8Array): T => {
    if (++results === 3) change(result, slot);
    return result;
  };
  return {
    ...pool,
    range: async (task) => changing(await pool.range(task), task.slot),
    runs: async (task) => changing(await pool.runs(task), task.slot),
  };
}

/** Takes the first record out of a piece of pcap output, and returns its length. */
function dropFirst(result: ScanResult, slot: Uint8Array): number {
  const view = new DataView(slot.buffer, slot.byteOffset);
  const length = 16 + view.getUint32(8, true);
  slot.copyWithin(0, length, result.outLength);
  result.outLength -= length;
  return length;
}

const run = async (pool: Pool | null, sink: Sink, format: ExportFormat = 'pcap_us', indexes?: FileIndexes): Promise<unknown> => {
  const prepared = await prepareExport(request(format), { ...(pool && { pool }), ...(indexes && { indexes }) });
  return prepared.run(sink, { workers: pool ? 2 : 0 });
};

describe('what goes out', () => {
  it.each(['pcap_us', 'pcap_ns', 'pcapng_us', 'pcapng_ns'] as const)('is counted there: %s', async (format) => {
    const sink = new Kept();
    const receipt = await run(null, sink, format);
    const all = BigInt(countOf(readFileSync(path)));
    expect(receipt).toMatchObject({
      expected: { packets: all },
      sent: { packets: all, bytes: BigInt(Buffer.concat(sink.chunks).length) },
      left_out: { time: 0n, filter: 0n, limit: 0n, damaged: 0n, snap_bytes: 0n },
    });
  });

  it('is missed where a piece has a packet less than it had', async () => {
    const sink = new Kept();
    await expect(run(tampered(dropFirst), sink)).rejects.toMatchObject({ code: 'RECEIPT_MISMATCH' });
    expect(sink.ended).toBe('aborted');
  });

  it('is missed where the worker tells of fewer bytes, too, but of all packets', async () => {
    const pool = tampered((result, slot) => {
      result.report[REPORT.outBytes]! -= BigInt(dropFirst(result, slot));
      result.report[REPORT.crc32c] = BigInt(crc32c(slot.subarray(0, result.outLength), 0));
      result.report[REPORT.packetsSent]! -= 1n;
    });
    await expect(run(pool, new Kept())).rejects.toMatchObject({ code: 'RECEIPT_MISMATCH', message: expect.stringContaining('let through') });
  });
});

describe('what is read', () => {
  it('is held against what an index counted', async () => {
    const indexes = new FileIndexes(join(folder.path, 'index'), { report: () => undefined });
    const filtered = { ...request('pcap_us'), windows: [{ startNs: 0n, endNs: 1n << 62n }] };
    const read = async (pool: Pool, sink: Sink): Promise<unknown> => (await prepareExport(filtered, { pool, indexes })).run(sink, { workers: 2 });
    const good = createInlinePool();
    // The first export makes the index, in the background.
    await read(good, new Kept());
    await indexes.settled();
    const all = BigInt(countOf(readFileSync(path)));
    expect(await read(good, new Kept())).toMatchObject({ expected: { packets: all } });
    const lossy = tampered((result) => {
      result.report[REPORT.packetsRead]! -= 1n;
      result.report[REPORT.packetsInWindows]! -= 1n;
    });
    await expect(read(lossy, new Kept())).rejects.toMatchObject({ code: 'RECEIPT_MISMATCH', message: expect.stringContaining('counted') });
    await indexes.close();
  });
});

/** Packets of a little-endian pcap file. */
function countOf(file: Buffer): number {
  let packets = 0;
  for (let at = 24; at + 16 <= file.length; packets++) at += 16 + file.readUInt32LE(at + 8);
  return packets;
}
