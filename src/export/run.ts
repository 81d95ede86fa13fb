/** Runs a prepared export into a sink and brings its lifecycle to an end, whatever happens. */
import { availableParallelism } from 'node:os';
import type { PreparedExport } from '../engine/export.js';
import type { Receipt, Sink } from '../engine/types.js';
import { coded } from '../errors.js';
import type { Opened } from '../state/filesystem.js';
import { FileSink } from '../state/file-sink.js';
import type { ExportHandle } from './handle.js';
import { HashSink } from './hash-sink.js';
import type { Spool } from './spool.js';
import type { Turns } from './turns.js';

/** Private: captures hold what people sent. */
const OUTPUT_MODE = 0o600;

/** Streams to a client, in a turn that the caller has taken; rejects with the reason when the export ends in ERRORS. */
export async function runToClient(handle: ExportHandle, sink: Sink, turns: Turns): Promise<void> {
  const hashed = handle.given.additions['checksum'] === SHA_256 ? new HashSink(sink) : null;
  await run(handle, hashed ?? sink, turns, (receipt) => {
    handle.succeed(isEmptySource(receipt) ? 'empty' : 'finish', { ...receipt, ...(hashed && { sha256: hashed.sha256 }) });
    return 'ended';
  });
}

/** What a client gives as `checksum` of an export whose packets it fetches. */
export const SHA_256 = 'SHA-256';

/** Writes the output file when its turn has come; never rejects, the status tells. */
export async function runToFile(handle: ExportHandle, place: Opened, turns: Turns): Promise<void> {
  await inTurn(handle, turns, async () => {
    const sink = new HashSink(await FileSink.open(place.path, { mode: OUTPUT_MODE }));
    await run(handle, sink, turns, (receipt) => {
      handle.succeed('finish', { ...receipt, sha256: sink.sha256 });
      return 'ended';
    });
  });
}

/** Fills the spool when its turn has come; never rejects. `onReady`: it is complete, or holds what it may. */
export async function runToSpool(handle: ExportHandle, spool: Spool, turns: Turns, onReady: () => void): Promise<void> {
  await inTurn(handle, turns, async () => {
    spool.onFull(() => {
      handle.apply('prepared');
      onReady();
    });
    const sink = new HashSink(spool);
    await run(handle, sink, turns, (receipt) => {
      const told = { ...receipt, sha256: sink.sha256 };
      const isEmpty = isEmptySource(receipt);
      if (spool.isPassed) {
        handle.succeed(isEmpty ? 'empty' : 'finish', told);
        return 'ended';
      }
      spool.complete(sink.sha256);
      handle.succeed(isEmpty ? 'empty' : 'prepared', told);
      if (isEmpty) return 'ended';
      onReady();
      return 'waits';
    });
  });
}

async function inTurn(handle: ExportHandle, turns: Turns, work: () => Promise<void>): Promise<void> {
  let hasTurn = false;
  try {
    await turns.take(handle.owner, handle.stopper.signal);
    hasTurn = true;
    await work();
  } catch (error) {
    // A run that failed has told its export already; a file that did not open has not.
    if (!handle.isFinal) await endWith(handle, error);
  } finally {
    if (hasTurn) turns.give(handle.owner);
  }
}

/** Ends an export in ERRORS. */
export async function endWith(handle: ExportHandle, error: unknown): Promise<void> {
  handle.failWith(coded(error));
  await handle.spool?.remove();
  await handle.release();
  handle.onEnd(error);
}

/** `succeed` says whether that is the export's end, or it waits for its client now. */
async function run(handle: ExportHandle, sink: Sink, turns: Turns, succeed: (receipt: Receipt) => 'ended' | 'waits'): Promise<void> {
  const { signal } = handle.stopper;
  // The engine may be waiting for a client that takes nothing; only the end of its sink ends that.
  const stop = (): void => void sink.abort();
  signal.addEventListener('abort', stop);
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
      signal.removeEventListener('abort', stop);
      const outcome = succeed(receipt);
      handle.delivered = false;
      await handle.release();
      if (outcome === 'ended') handle.onEnd(null);
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
