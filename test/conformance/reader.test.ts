/** Every capture file of the corpora: packets, times, lengths and bytes are those that at least two other readers see. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, it } from 'vitest';
import { inspect, type SourceReport } from '../../src/engine/inspect.js';
import { SpillwayError } from '../../src/errors.js';
import { NS_PER_SECOND } from '../../src/units.js';
import { hasCorpora, requireOrSkip } from '../setup/require.js';
import { Agreement } from '../support/agreement.js';
import { cell, corpus, table } from '../support/corpora.js';
import { fileSource, request, runExport } from '../support/engine.js';
import { records } from '../support/records.js';

/** What the packets sum up to; the digest is SHA-256 over `i64 seconds, i64 nanoseconds, u32 caplen, u32 wirelen` and the bytes of each. */
function sumUp(bytes: Uint8Array) {
  const hash = createHash('sha256');
  const head = Buffer.alloc(24);
  const sum = { packets: 0, capturedBytes: 0, interfaces: new Set<number>(), linkTypes: new Set<number>(), first: '', last: '' };
  /** As `info` tells them: carried over, and of packets with a time alone. */
  const times: bigint[] = [];
  for (const { seconds, nanos, caplen, wirelen, data, linkType, hasTime, ...packet } of records(bytes)) {
    head.writeBigInt64LE(seconds, 0);
    head.writeBigUInt64LE(nanos, 8);
    head.writeUInt32LE(caplen, 16);
    head.writeUInt32LE(wirelen, 20);
    hash.update(head).update(data);
    sum.packets += 1;
    sum.capturedBytes += caplen;
    sum.interfaces.add(packet.interface);
    sum.linkTypes.add(linkType);
    sum.last = `${seconds}.${String(nanos).padStart(9, '0')}`;
    sum.first ||= sum.last;
    if (hasTime) times.push(seconds * NS_PER_SECOND + nanos);
  }
  return { ...sum, interfaces: sum.interfaces.size, linkTypes: sum.linkTypes.size, digest: hash.digest('hex'), times };
}

/** A file that lies elsewhere in the corpora is stored only there. */
const elsewhere = new Map<string, string>();
function pathOf(row: Record<string, string>): string | null {
  const here = corpus('reader', 'files', cell(row, 'file'));
  if (existsSync(here)) return here;
  if (elsewhere.size === 0) for (const other of table('captures.tsv')) elsewhere.set(cell(other, 'sha256'), cell(other, 'file'));
  const name = elsewhere.get(cell(row, 'sha256'));
  return name === undefined ? null : corpus('captures', name);
}

/** `ok`, `truncated`, `corrupt` or `reject`, in the table's words. */
function endOf(damage: { reason: string }[]): string {
  if (damage.length === 0) return 'ok';
  return /ends (inside|early)/.test(damage[0]!.reason) ? 'truncated-after' : 'corrupt-after';
}

/** The file by an export, and whether `info` tells the same of it. */
async function read(path: string): Promise<Record<string, unknown>> {
  try {
    const { bytes, receipt } = await runExport(request(path, { format: 'records' }));
    const { times, ...sum } = sumUp(bytes);
    const end = endOf(receipt.damage);
    const told = {
      end,
      packets: sum.packets,
      capturedBytes: sum.capturedBytes,
      interfaces: sum.interfaces,
      linkTypes: sum.linkTypes,
      firstTimeNs: times[0] ?? null,
      lastTimeNs: times.at(-1) ?? null,
      minTimeNs: times.reduce<bigint | null>((a, b) => (a === null || b < a ? b : a), null),
      maxTimeNs: times.reduce<bigint | null>((a, b) => (a === null || b > a ? b : a), null),
      packetsWithoutTime: BigInt(sum.packets - times.length),
    };
    return { end, ...sum, told: isDeepStrictEqual(toldOf(await inspect(fileSource(path))), told) ? 'the same' : 'otherwise' };
  } catch (error) {
    if (error instanceof SpillwayError && error.code === 'SOURCE_NOT_A_CAPTURE') return { end: 'reject', packets: 0 };
    return { end: String(error) };
  }
}

function toldOf(report: SourceReport): Record<string, unknown> {
  const used = report.interfaces.filter(({ packets }) => packets > 0);
  const { firstTimeNs, lastTimeNs, minTimeNs, maxTimeNs, packetsWithoutTime } = report;
  return {
    end: endOf(report.damage ? [report.damage] : []),
    packets: Number(report.packets),
    capturedBytes: Number(report.capturedBytes),
    interfaces: used.length,
    linkTypes: new Set(used.map(({ linkType }) => linkType)).size,
    firstTimeNs,
    lastTimeNs,
    minTimeNs,
    maxTimeNs,
    packetsWithoutTime,
  };
}

function wanted(row: Record<string, string>): Record<string, unknown> {
  const end = cell(row, 'expect').split(' ')[0];
  const packets = Number(cell(row, 'packets'));
  // libpcap does not decompress; what is in the file was counted with other tools: 59 Ethernet, 100 Linux cooked.
  if (cell(row, 'container') === 'zstd') return { end: 'ok', packets: 159, linkTypes: 2, told: 'the same' };
  if (end === 'reject') return { end, packets };
  const [first, last] = [cell(row, 'first_ts'), cell(row, 'last_ts')];
  return {
    end,
    packets,
    capturedBytes: Number(cell(row, 'sum_caplen')),
    interfaces: Number(cell(row, 'interfaces')),
    linkTypes: Number(cell(row, 'linktypes')),
    digest: cell(row, 'digest'),
    told: 'the same',
    // The table has times only where libpcap read the file too.
    ...(first !== '' && { first, last }),
  };
}

describe.runIf(requireOrSkip('the corpora', hasCorpora()))('capture files of the corpora', () => {
  it('are read as other readers read them', async () => {
    const agreement = new Agreement('reader');
    for (const row of table('reader', 'golden.tsv')) {
      const path = pathOf(row);
      if (path === null) agreement.row(cell(row, 'file'), 'the file is not there');
      else agreement.equal(cell(row, 'file'), await read(path), wanted(row));
    }
    agreement.conclude(2000);
  }, 300_000);
});
