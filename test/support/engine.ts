/** Running the engine from a test: requests with defaults, and a sink that keeps what it is given. */
import { prepareExport, type RunOptions } from '../../src/engine/export.js';
import type { PrepareOptions } from '../../src/engine/plan.js';
import { NO_LIMITS, type ExportFormat, type ExportRequest, type FileSource, type Receipt, type Sink, type Source } from '../../src/engine/types.js';

export class MemorySink implements Sink {
  readonly chunks: Buffer[] = [];
  finished = false;
  aborted = false;

  async write(bytes: Uint8Array): Promise<void> {
    this.chunks.push(Buffer.from(bytes));
  }
  async finish(): Promise<void> {
    this.finished = true;
  }
  async abort(): Promise<void> {
    this.aborted = true;
  }
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

export { NO_LIMITS };

/** Every packet of the sources, as pcap_ns, uncut; `changed` says what is otherwise. `records` is a format here too. */
export function request(
  sources: string | Source[],
  changed: Omit<Partial<ExportRequest>, 'format'> & { format?: ExportFormat | 'records' } = {},
): ExportRequest {
  const list = typeof sources === 'string' ? [fileSource(sources)] : sources;
  const defaults = { sources: list, filters: [], windows: [], snapLengthBytes: 0, limits: NO_LIMITS, format: 'pcap_ns' as const };
  // The engine runs `records` like any format; only its callers may not ask for it.
  return { ...defaults, ...changed } as ExportRequest;
}

export function fileSource(path: string): FileSource {
  return { path, name: path.split('/').at(-1) ?? path };
}

export interface Exported {
  bytes: Buffer;
  receipt: Receipt;
}

export async function runExport(asked: ExportRequest, options: RunOptions = {}, prepareOptions: PrepareOptions = {}): Promise<Exported> {
  const prepared = await prepareExport(asked, prepareOptions);
  const sink = new MemorySink();
  try {
    const receipt = await prepared.run(sink, options);
    if (!sink.finished || sink.aborted) throw new Error('the sink was not finished');
    return { bytes: sink.bytes, receipt };
  } finally {
    await prepared.close();
  }
}
