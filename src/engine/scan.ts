/** Runs a plan: all sources, the output in time order. */
import type { IndexAnswer } from '../native.js';
import type { Piece, ScanContext } from './context.js';
import { following, inOrder, lastBefore, lineUp } from './in-line.js';
import { COALESCE_BYTES } from './limits.js';
import { scanFile } from './scan-file.js';
import { askIndex, scanIndexed } from './scan-indexed.js';
import { scanMerge } from './scan-merge.js';
import { scanStreamSource } from './scan-stream.js';
import type { OpenSource } from './source.js';

/** An index says that all of a source comes before the next. (What it leaves out could hold back others, so that it is of no use where they are merged.) */
function isBefore({ end, maxTime }: IndexAnswer, source: OpenSource, untilNs: bigint | null): boolean {
  return untilNs === null || (end >= source.sizeBytes && (maxTime === null || maxTime <= untilNs));
}

/**
 * What overlaps with nothing is scanned by itself, a file in ranges; from where a packet of the next source comes first,
 * sources are merged. The output is that of a merge of all, always.
 */
export async function* scan(sources: readonly OpenSource[], context: ScanContext): AsyncGenerator<Piece> {
  let line = lineUp(sources);
  let interfaces = 0;
  for (;;) {
    const [first, ...others] = line;
    if (!first || context.totals.stoppedBy) return;
    const { source } = first;
    if (source.kind === 'file') {
      const untilNs = others[0] ? lastBefore(first, others[0]) : null;
      const start = first.place ?? { offset: 0, state: null, base: interfaces };
      const answer = first.isBegun ? null : askIndex(source, context);
      const { place, interfaceCount } = yield* answer && isBefore(answer, source, untilNs)
        ? scanIndexed(source, answer, first.place, interfaces, context)
        : scanFile(source, start, untilNs, context);
      interfaces = Math.max(interfaces, interfaceCount);
      if (!place) {
        const base = start.base + (first.place ? 0 : (source.beginning?.sectionBase ?? 0));
        line = inOrder([...following(first, base), ...others]);
        continue;
      }
      line = [{ ...first, place, isBegun: true }, ...others];
    } else if (others.length === 0) {
      yield* scanStreamSource(source, interfaces, context);
      return;
    }
    const merged = yield* scanMerge(line, interfaces, context);
    line = merged.line;
    interfaces = merged.interfaceCount;
  }
}

/** Gathers small pieces, so that a filter that lets little through does not cause many small writes. */
export class Coalescer {
  private readonly held: Uint8Array[] = [];
  private heldBytes = 0;

  constructor(private readonly write: (bytes: Uint8Array) => Promise<void>) {}

  /** `bytes` may be used again once the promise resolves. */
  async add(bytes: Uint8Array, flush: boolean): Promise<void> {
    if (bytes.length < COALESCE_BYTES) {
      this.held.push(bytes.slice());
      this.heldBytes += bytes.length;
      if (flush || this.heldBytes >= COALESCE_BYTES) await this.flush();
      return;
    }
    await this.flush();
    await this.write(bytes);
  }

  async flush(): Promise<void> {
    if (this.heldBytes === 0) return;
    const all = Buffer.concat(this.held.splice(0));
    this.heldBytes = 0;
    await this.write(all);
  }
}
