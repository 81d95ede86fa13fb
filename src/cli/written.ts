/** An output that is whole, or that is not there. */
import type { Sink } from '../engine/types.js';
import { fail } from './fail.js';
import { unlessInterrupted } from './interrupt.js';
import type { Io } from './io.js';
import { openSink, type Output } from './output.js';

/** Resolves to the exit code. `mode`: permissions of a new file. `work` neither finishes nor aborts the sink. */
export async function written(output: Output, mode: number, io: Io, work: (sink: Sink, signal: AbortSignal) => Promise<void>): Promise<number> {
  const signal = io.interrupt();
  let sink: Sink | undefined;
  try {
    const opening = openSink(output, mode);
    // A named pipe may wait for its reader for ever. A file does not, and one that was opened too late for anybody would stay.
    sink = await (output.kind === 'direct' ? unlessInterrupted(signal, opening) : opening);
    await unlessInterrupted(signal, work(sink, signal), { tidies: true });
    await sink.finish();
    return 0;
  } catch (error) {
    await sink?.abort();
    return fail(error, io, signal);
  }
}
