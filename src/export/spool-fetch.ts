/** Clients that fetch what is spooled: as often as they like, whole or a part, while it is complete; else once. */
import type { FileHandle } from 'node:fs/promises';
import { SpillwayError } from '../errors.js';
import type { ExportHandle } from './handle.js';
import type { Sink } from '../engine/types.js';

/** A complete spool, open for one download. */
export interface Spooled {
  sizeBytes: number;
  /** Of all of it, hex digits: the same bytes have the same. */
  sha256: string;
  /** As read(2) does: resolves to how many bytes there were, 0 behind the end. Rejects once the export is removed. */
  read(into: Uint8Array, offset: number): Promise<number>;
}

/** Sends a complete spool, or the part that the client wants; the state follows. */
export async function fetchSpooled(handle: ExportHandle, send: (spooled: Spooled, signal: AbortSignal) => Promise<boolean>): Promise<void> {
  const spool = handle.spool!;
  const { signal } = handle.stopper;
  if (handle.downloads === 0 && handle.state !== 'NODATA') handle.apply(handle.state === 'DONE' ? 'again' : 'stream');
  handle.deadline.stop();
  handle.downloads += 1;
  let file: FileHandle | undefined;
  try {
    const opened = (file = await spool.openFile());
    const read = async (into: Uint8Array, offset: number): Promise<number> => {
      signal.throwIfAborted();
      const { bytesRead } = await opened.read(into, 0, into.length, offset);
      handle.advanceDownload(offset);
      return bytesRead;
    };
    const { sizeBytes, sha256 } = spool.facts!;
    if (await send({ sizeBytes, sha256, read }, signal)) handle.hasEnd = true;
  } finally {
    // At once: who has the end may ask for the state, or fetch again, before anything else is put away.
    handle.downloads -= 1;
    if (handle.downloads === 0 && handle.state === 'STREAMING') handle.apply(handle.hasEnd ? 'finish' : 'pause');
    if (handle.hasEnd && handle.state === 'DONE') handle.progress = 100;
    await file?.close();
  }
}

/** Hands over what the spool holds and, behind it, what had no room; the client's leaving in the second part ends the export. */
export async function fetchOverflowing(handle: ExportHandle, left: AbortSignal, open: () => Sink): Promise<void> {
  handle.apply('stream');
  handle.deadline.stop();
  const sink = open();
  try {
    await handle.spool!.passTo(sink);
  } catch (error) {
    await sink.abort();
    if (handle.state === 'STREAMING') handle.apply('pause');
    throw error;
  }
  const leave = (): void => handle.stopper.abort(left.reason);
  left.addEventListener('abort', leave);
  if (left.aborted) leave();
  await handle.running;
  if (handle.state === 'ERRORS') throw new SpillwayError('CLIENT_LEFT', handle.error?.error_text ?? 'the export failed');
}
