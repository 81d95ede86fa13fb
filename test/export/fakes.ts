/** Stand-ins for what surrounds the exports: an engine that does what a test says, and a data folder of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Estimate } from '../../src/engine/estimate.js';
import type { PreparedExport, RunOptions } from '../../src/engine/export.js';
import type { ExportRequest, Progress, Receipt, Sink } from '../../src/engine/types.js';
import { SpillwayError } from '../../src/errors.js';
import { openDataFolder, type DataFolder } from '../../src/state/data-folder.js';

export function receipt(given: Partial<Receipt> = {}): Receipt {
  return {
    packets_read: 10n,
    packets_processed: 8n,
    packets_exported: 5n,
    bytes_exported: 500n,
    captured_bytes_exported: 400n,
    expected: { packets: 10n, captured_bytes: 800n },
    sent: { packets: 5n, bytes: 500n, captured_bytes: 400n },
    left_out: { time: 2n, filter: 3n, limit: 0n, damaged: 0n, snap_bytes: 0n },
    packets_cut: 0n,
    packets_dropped_at_capture: 1n,
    lost: [],
    packets_without_time: 0n,
    times_clamped: 0n,
    blocks_skipped: 0n,
    crc32c: '00000000',
    exported_range: { first_ns: 1_613_657_410_054_126_000n, last_ns: 1_613_657_411_054_126_001n },
    source_range: { first_ns: 1_613_657_410_054_126_000n, last_ns: 1_613_657_411_054_126_001n },
    truncated: false,
    stopped_by: null,
    damage: [],
    warnings: [],
    ...given,
  };
}

/** A promise and the means to settle it. */
export class Gate {
  open!: () => void;
  readonly passed = new Promise<void>((resolve) => (this.open = resolve));
}

export class FakeEngine {
  readonly requests: ExportRequest[] = [];
  closed = 0;
  /** Threads that each run was given. */
  readonly workers: (number | undefined)[] = [];
  running = 0;
  /** What prepare waits for and fails with. */
  prepareGate: Promise<void> = Promise.resolve();
  prepareError: SpillwayError | null = null;
  /** What a run writes; it waits for `runGate` behind the first piece. */
  pieces: Uint8Array[] = [Buffer.from('head'), Buffer.from('tail')];
  runGate: Promise<void> = Promise.resolve();
  runError: Error | null = null;
  receipt: Receipt = receipt();
  estimate: Estimate = {
    packets: { low: 1n, likely: 5n, high: 8n },
    bytes: { low: 100n, likely: 500n, high: 800n },
    bytesToRead: 900,
    bytesSkipped: 100,
    blocks: 10,
    blocksToRead: 9,
    seconds: 0.25,
  };

  readonly prepare = async (request: ExportRequest): Promise<PreparedExport> => {
    this.requests.push(request);
    await this.prepareGate;
    if (this.prepareError !== null) throw this.prepareError;
    return {
      bytesTotal: 1000,
      copiesAll: request.filters.length === 0,
      linkTypes: [1],
      warnings: [],
      run: (sink, options) => this.#run(sink, options),
      estimate: async () => this.estimate,
      explain: async () => [],
      close: async () => void this.closed++,
    };
  };

  async #run(sink: Sink, { signal, onProgress, workers }: RunOptions = {}): Promise<Receipt> {
    this.workers.push(workers);
    this.running++;
    try {
      const stopped = new Promise<never>((_resolve, reject) => {
        const stop = (): void => reject(new SpillwayError('CANCELLED', 'the export was cancelled'));
        if (signal?.aborted) stop();
        signal?.addEventListener('abort', stop);
      });
      stopped.catch(() => undefined);
      for (const [i, piece] of this.pieces.entries()) {
        await Promise.race([sink.write(piece), stopped]);
        onProgress?.(this.#progress(i + 1));
        if (i === 0) await Promise.race([this.runGate, stopped]);
        if (this.runError !== null) throw this.runError;
      }
      await Promise.race([sink.finish(), stopped]);
      return this.receipt;
    } catch (error) {
      await sink.abort();
      throw error;
    } finally {
      this.running--;
    }
  }

  #progress(pieces: number): Progress {
    const share = pieces / this.pieces.length;
    return { bytesDone: 1000 * share, bytesTotal: 1000, packetsRead: 10n, packetsInWindows: 8n, packetsOut: 5n, outBytes: 500 * share };
  }
}

/** A data folder that is removed by `remove`, with files `fs/admin/x.pcap` and `fs/ann/y.pcap`. */
export class TemporaryData {
  readonly path = join(mkdtempSync(join(tmpdir(), 'spillway-probe-')), 'data');

  async open(): Promise<DataFolder> {
    const data = await openDataFolder(this.path);
    writeFileSync(join(this.path, 'fs/admin/x.pcap'), 'not looked into by a fake engine');
    return data;
  }

  remove(): void {
    rmSync(join(this.path, '..'), { recursive: true });
  }
}

/** Where the machine is busy with other tests, a server takes seconds to start. */
const UNTIL_MS = 25_000;

/** Waits until `check` holds, for a bounded time. */
export async function until(check: () => boolean | Promise<boolean>, what = 'it to happen'): Promise<void> {
  for (const end = performance.now() + UNTIL_MS; performance.now() < end;) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain for ${what}`);
}
