/** Fills an artifact: whole, or not at all. */
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import type { ArtifactSink } from '../task/task.js';

/** `fill` only writes; resolves to how much. */
export async function into(artifact: ArtifactSink, fill: (sink: Sink) => Promise<void>): Promise<{ id: string; bytes: number }> {
  let bytes = 0;
  const counting: Sink = {
    write: (piece) => {
      bytes += piece.length;
      return artifact.write(piece);
    },
    finish: () => Promise.resolve(),
    abort: () => Promise.resolve(),
  };
  try {
    await fill(counting);
    if (bytes === 0) throw new SpillwayError('PEER_FAILED', 'the package is empty');
    await artifact.finish();
  } catch (error) {
    await artifact.abort();
    throw error;
  }
  return { id: artifact.id, bytes };
}
