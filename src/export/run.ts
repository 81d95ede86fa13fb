/** Runs a prepared export into a sink and brings its lifecycle to an end, whatever happens. */
import { availableParallelism } from 'node:os';
import type { PreparedExport } from '../engine/export.js';
import type { Receipt, Sink } from '../engine/types.js';
import { coded } from '../errors.js';
import type { Opened } from '../state/filesystem.js';
import { FileSink } from './file-sink.js';
import type { ExportHandle } from './handle.js';
import { HashSink } from './hash-sink.js';
import type { Turns } from './turns.js';

/** Private: captures hold what people sent. */
const OUTPUT_MODE = 0o600;

/** Streams to a client, in a turn that the caller has taken; rejects with the reason when the export ends in ERRORS. */
export async function runToClient(handle: ExportHandle, sink: Sink, turns: Turns): Promise<void> {
  await run(handle, sink, turns, (receipt) => handle.succeed(isEmptySource(receipt) ? 'empty' : 'finish', receipt));
}

/** Writes the output file when its turn has come; never rejects, the status tells. */
export async function runToFile(handle: ExportHandle, place: Opened, turns: Turns): Promise<void> {
  let hasTurn = false;
  try {
    await turns.take(handle.stopper.signal);
    hasTurn = true;
    const sink = new HashSink(await FileSink.open(place.path, { mode: OUTPUT_MODE }));
    await run(handle, sink, turns, (receipt) => handle.succeed('finish', { ...receipt, sha256: sink.sha256 }));
  } catch (error) {
    // A run that failed has told its export already; a file that did not open has not.
    if (!handle.isFinal) await endWith(handle, error);
  } finally {
    if (hasTurn) turns.give();
  }
}

/** Ends an export in ERRORS. */
export async function endWith(handle: ExportHandle, error: unknown): Promise<void> {
  handle.failWith(coded(error));
  await handle.release();
  handle.onEnd(error);
}

async function run(handle: ExportHandle, sink: Sink, turns: Turns, succeed: (receipt: Receipt) => void): Promise<void> {
  const { signal } = handle.stopper;
  // The engine may be waiting for a client that takes nothing; only the end of its sink ends that.
  signal.addEventListener('abort', () => void sink.abort());
  const running = handle.prepared!.run(
    telling(sink, () => (handle.delivered = true)),
    {
      signal,
      onProgress: (progress) => handle.advance(progress),
      ...workersFor(handle.prepared!, turns),
    },
  );
  const ended = running.then(
    async (receipt) => {
      succeed(receipt);
      await handle.release();
      handle.onEnd(null);
    },
    async (error: unknown) => {
      // Why it was stopped says more than that it was.
      const reason: unknown = signal.aborted ? signal.reason : error;
      await endWith(handle, reason);
      throw coded(reason);
    },
  );
  handle.running = ended.catch(() => undefined);
  await ended;
}

/**
 * Several exports share the cores. Alone, one takes the engine's choice; but where everything goes out, sending is what
 * takes the time, and its thread needs a core of its own.
 */
function workersFor({ copiesAll }: PreparedExport, { taken }: Turns): { workers?: number } {
  const cores = availableParallelism();
  if (taken > 1) return { workers: Math.max(1, Math.floor(cores / taken)) };
  return copiesAll ? { workers: Math.max(1, cores - 1) } : {};
}

/** A sink that tells when the output is whole: the engine then still puts away what it worked with. */
function telling(sink: Sink, onFinish: () => void): Sink {
  return {
    write: (bytes) => sink.write(bytes),
    finish: async () => {
      await sink.finish();
      onFinish();
    },
    abort: () => sink.abort(),
  };
}

/** No packet in the time range, and nothing else that could be the reason. */
function isEmptySource(receipt: Receipt): boolean {
  return receipt.packets_processed === 0n && !receipt.truncated;
}
