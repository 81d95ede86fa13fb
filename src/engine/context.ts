/** What the parts of one scan have in common while it runs. */
import { SpillwayError } from '../errors.js';
import { crc32c, REPORT, STATUS, type BlockSums, type Chosen, type OutputFormat } from '../native.js';
import { linkTypeName } from '../filter/linktypes.js';
import type { Filters } from './filters.js';
import type { Pool } from './pool.js';
import type { Totals } from './totals.js';
import { CANCELLED, CONTROL, CONTROL_BYTES, CONTROL_BYTES_IN, type BadBlock, type ScanResult, type SharedSelection } from './tasks.js';
import type { StopRules } from './types.js';

/** A part of the output, in order. The bytes lie in a slot that is used again once the next piece is asked for. */
export interface Piece {
  bytes: Uint8Array;
  /** Of the first packet written by this scan, -1 while there is none. */
  linkType: number;
  snapLengthBytes: number;
  /** Hand it on at once: the source is silent. */
  flush: boolean;
}

export class ScanContext {
  readonly control = new SharedArrayBuffer(CONTROL_BYTES);
  selection: SharedSelection;

  constructor(
    readonly pool: Pool,
    readonly filters: Filters,
    readonly format: OutputFormat,
    readonly snapLengthBytes: number,
    readonly windowsNs: BigInt64Array,
    readonly rules: StopRules,
    readonly totals: Totals,
    readonly slots: Uint8Array[],
    /** Told of each result that counts, in order; `base`: the output's number of the scan's first interface. */
    readonly onResult: (result: ScanResult, base: number) => void,
    /** Only these packets may go out. */
    private readonly chosen: Chosen | null = null,
  ) {
    this.selection = this.select();
  }

  /** Scans follow one another, each told the number that it begins with. */
  get isOrdered(): boolean {
    return this.chosen !== null;
  }

  private select(): SharedSelection {
    const selection = this.filters.selection(this.format, this.snapLengthBytes, this.windowsNs);
    return this.chosen ? { ...selection, chosen: this.chosen } : selection;
  }

  cancel(): void {
    Atomics.store(new Int32Array(this.control), CONTROL.cancel, 1);
  }

  isCancelled(): boolean {
    return Atomics.load(new Int32Array(this.control), CONTROL.cancel) !== 0;
  }

  refuseCancelled(): void {
    if (this.isCancelled()) throw new SpillwayError('CANCELLED', 'the export was cancelled');
  }

  /** Input bytes decided on so far. */
  bytesIn(): number {
    return Number(Atomics.load(new BigInt64Array(this.control), CONTROL_BYTES_IN));
  }

  addBytesIn(bytes: number): void {
    Atomics.add(new BigInt64Array(this.control), CONTROL_BYTES_IN, BigInt(bytes));
  }

  async addPrograms(linkType: number): Promise<void> {
    await this.filters.compileFor(linkType);
    this.selection = this.select();
  }

  /** Packets of two link types, one of which went to the output before: PCAP must refuse. */
  mixesLinkTypes(result: ScanResult): boolean {
    const linkType = Number(result.report[REPORT.linkTypeOut]);
    return this.format.startsWith('pcap_') && linkType >= 0 && this.totals.linkTypeOut >= 0 && linkType !== this.totals.linkTypeOut;
  }

  /** A block that a scan has left out because it is not what it was; returns how many packets it had. */
  noteBadBlock({ offset, bytes }: BadBlock, file: string, sums: BlockSums | null): number {
    const packets = sums?.packets.find((_, block) => sums.bounds[2 * block] === offset);
    const reason = `a block of ${bytes} bytes${packets === undefined ? '' : ` with ${packets} packets`} does not have its checksum`;
    this.totals.damage.push({ file, offsetBytes: offset, reason, ...(packets !== undefined && { packets }) });
    return packets ?? 0;
  }

  /** What is not of a scan: it stands behind what was counted so far. */
  ownPiece(bytes: Uint8Array, flush = false): Piece {
    this.totals.addBytes(crc32c(bytes, 0), BigInt(bytes.length));
    return { bytes, linkType: this.totals.linkTypeOut, snapLengthBytes: 0, flush };
  }

  piece(result: ScanResult, slot: Uint8Array, flush: boolean): Piece {
    return {
      bytes: slot.subarray(0, result.outLength),
      linkType: Number(result.report[REPORT.linkTypeOut]),
      snapLengthBytes: Number(result.report[REPORT.snapLengthOut]),
      flush,
    };
  }
}

const RULES = [null, 'packets', 'bytes', 'duration'] as const;

/** What a status means that ends the scan of a source: sets totals, or throws. Returns false where the scan goes on. */
export function concludes(result: ScanResult, source: { name: string }, totals: Totals): boolean {
  const detail = Number(result.report[REPORT.detail]);
  const offset = Number(result.report[REPORT.detailOffset]);
  switch (result.status) {
    case STATUS.done:
      return true;
    case STATUS.limit:
      totals.stoppedBy = RULES[detail] ?? 'packets';
      return true;
    case STATUS.damage:
      totals.damage.push({ file: source.name, offsetBytes: offset, reason: result.damage });
      return true;
    case STATUS.mixedLinkTypes:
      throw mixed(source, detail);
    case STATUS.timeRange:
      throw new SpillwayError('OUTPUT_TIME_RANGE', `${source.name}: the time of the packet at byte ${offset} does not fit in the output format`);
    case STATUS.ioError:
      throw new SpillwayError('SOURCE_UNREADABLE', `${source.name}: reading at byte ${offset} failed (errno ${detail})`);
    case CANCELLED:
      throw new SpillwayError('CANCELLED', 'the export was cancelled');
    default:
      return false;
  }
}

export function mixed(source: { name: string }, linkType: number): SpillwayError {
  return new SpillwayError(
    'OUTPUT_LINK_TYPES',
    `${source.name}: packets of link type ${linkTypeName(linkType)} follow those of another, and PCAP holds one link type only: export as PCAPNG, or filter`,
  );
}
