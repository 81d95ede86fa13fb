/** Sums over the parts of a scan, in order; and what they leave of the stop rules. */
import { crc32cCombine, REPORT, type IndexAnswer } from '../native.js';
import type { Loss } from './lane.js';
import { MAX_TIME_NS, MIN_TIME_NS } from './limits.js';
import type { LimitsLeft } from './tasks.js';
import type { Damage, StopRules } from './types.js';

export class Totals {
  packetsRead = 0n;
  packetsInWindows = 0n;
  packetsOut = 0n;
  packetsCut = 0n;
  /** As found in what was written. */
  packetsSent = 0n;
  capturedBytesCut = 0n;
  capturedBytesOut = 0n;
  capturedBytesRead = 0n;
  wireBytesRead = 0n;
  outBytes = 0n;
  crc32c = 0;
  blocksSkipped = 0n;
  timesClamped = 0n;
  packetsWithoutTime = 0n;
  droppedPackets = 0n;
  minTime = MAX_TIME_NS;
  maxTime = MIN_TIME_NS;
  /** Times of the first and last packet in the order of reading. */
  firstTime: bigint | null = null;
  lastTime: bigint | null = null;
  outMinTime = MAX_TIME_NS;
  outMaxTime = MIN_TIME_NS;
  outFirstTime: bigint | null = null;
  linkTypeOut = -1;
  /** Packets in the range of those that are chosen by their numbers. */
  numbered = 0n;
  stoppedBy: 'packets' | 'bytes' | 'duration' | null = null;
  readonly damage: Damage[] = [];
  readonly losses: Loss[] = [];

  add(report: BigInt64Array): void {
    const at = (place: number): bigint => report[place] ?? 0n;
    this.packetsRead += at(REPORT.packetsRead);
    this.packetsInWindows += at(REPORT.packetsInWindows);
    this.packetsOut += at(REPORT.packetsOut);
    this.packetsCut += at(REPORT.packetsCut);
    this.packetsSent += at(REPORT.packetsSent);
    this.capturedBytesCut += at(REPORT.capturedBytesCut);
    this.capturedBytesOut += at(REPORT.capturedBytesOut);
    this.capturedBytesRead += at(REPORT.capturedBytesRead);
    this.wireBytesRead += at(REPORT.wireBytesRead);
    this.blocksSkipped += at(REPORT.blocksSkipped);
    this.timesClamped += at(REPORT.timesClamped);
    this.packetsWithoutTime += at(REPORT.packetsWithoutTime);
    this.droppedPackets += at(REPORT.droppedPackets);
    this.numbered += at(REPORT.numbered);
    this.addBytes(Number(at(REPORT.crc32c)), at(REPORT.outBytes));
    if (at(REPORT.minTime) <= at(REPORT.maxTime)) {
      this.minTime = min(this.minTime, at(REPORT.minTime));
      this.maxTime = max(this.maxTime, at(REPORT.maxTime));
      this.firstTime ??= at(REPORT.firstTime);
      this.lastTime = at(REPORT.lastTime);
    }
    if (at(REPORT.outMinTime) <= at(REPORT.outMaxTime)) {
      this.outMinTime = min(this.outMinTime, at(REPORT.outMinTime));
      this.outMaxTime = max(this.outMaxTime, at(REPORT.outMaxTime));
      this.outFirstTime ??= at(REPORT.outFirstTime);
    }
    if (this.linkTypeOut < 0) this.linkTypeOut = Number(at(REPORT.linkTypeOut));
  }

  /** Packets that an index left out of a scan. */
  skip(answer: IndexAnswer): void {
    this.packetsRead += BigInt(answer.skippedPackets);
    this.packetsInWindows += BigInt(answer.skippedInWindows);
    this.packetsWithoutTime += BigInt(answer.skippedUntimed);
    this.capturedBytesRead += BigInt(answer.skippedCapturedBytes);
    if (answer.minTime === null || answer.maxTime === null) return;
    this.minTime = min(this.minTime, answer.minTime);
    this.maxTime = max(this.maxTime, answer.maxTime);
  }

  /** Output bytes that follow those so far. */
  addBytes(crc: number, bytes: bigint): void {
    if (bytes > 0n) this.crc32c = crc32cCombine(this.crc32c, crc, Number(bytes));
    this.outBytes += bytes;
  }

  /** Would these packets reach a stop rule, so that they must be scanned with the rule in force? */
  reaches(rules: StopRules, report: BigInt64Array): boolean {
    const at = (place: number): bigint => report[place] ?? 0n;
    if (at(REPORT.packetsOut) === 0n) return false;
    if (rules.packets > 0n && this.packetsOut + at(REPORT.packetsOut) >= rules.packets) return true;
    if (rules.capturedBytes > 0n && this.capturedBytesOut + at(REPORT.capturedBytesOut) > rules.capturedBytes) return true;
    if (rules.durationNs === 0n || at(REPORT.outMinTime) > at(REPORT.outMaxTime)) return false;
    return at(REPORT.outMaxTime) - (this.outFirstTime ?? at(REPORT.outFirstTime)) >= rules.durationNs;
  }

  /** null when there are no rules. */
  left(rules: StopRules): LimitsLeft | null {
    if (rules.packets === 0n && rules.capturedBytes === 0n && rules.durationNs === 0n) return null;
    return {
      packets: rules.packets === 0n ? null : rules.packets - this.packetsOut,
      capturedBytes: rules.capturedBytes === 0n ? null : rules.capturedBytes - this.capturedBytesOut,
      durationNs: rules.durationNs === 0n ? null : rules.durationNs,
      firstTimeNs: this.outFirstTime,
    };
  }
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
