/** Placeholder of the engine's face while the engine is built; replaced in the next commit. */
import type { ExportRequest, Progress, Receipt, Sink } from './types.js';

export interface RunOptions {
  /** Worker threads that scan; results never depend on it. Default: the number of cores, at most 4. */
  workers?: number;
  /** Ends the scan between two steps; the sink is aborted and the promise rejects with CANCELLED. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** A request whose sources were opened, filters compiled and limits checked; nothing is written yet. */
export interface PreparedExport {
  /** Bytes of input planned (0 for a stream). */
  readonly bytesTotal: number;
  /** Link types known so far, warnings such as "expression rejects all packets". */
  readonly linkTypes: number[];
  readonly warnings: string[];
  /** Streams the export into the sink; call once. Calls sink.finish() or sink.abort() itself. */
  run(sink: Sink, options?: RunOptions): Promise<Receipt>;
  /** Frees descriptors; safe to call at any time, also after run. */
  close(): Promise<void>;
}

export async function prepareExport(_request: ExportRequest): Promise<PreparedExport> {
  throw new Error('not built yet');
}
