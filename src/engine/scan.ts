/** Runs a plan: every source in turn, the output in order. */
import { COALESCE_BYTES } from './limits.js';
import type { Piece, ScanContext } from './context.js';
import { scanFile, scanFileFrom } from './scan-file.js';
import { askIndex, scanIndexed } from './scan-indexed.js';
import { scanStreamSource } from './scan-stream.js';
import type { OpenSource } from './source.js';

/** `onSource` is told which source is being scanned, before its first piece. */
export async function* scan(sources: readonly OpenSource[], context: ScanContext, onSource: (index: number) => void): AsyncGenerator<Piece> {
  let interfaces = 0;
  let before: { source: OpenSource; base: number } | null = null;
  for (const [index, source] of sources.entries()) {
    onSource(index);
    const base: number | null = before && continues(before.source, source) ? before.base : null;
    const count = yield* scanSource(source, interfaces, base, context);
    before = { source, base: base ?? interfaces };
    interfaces = Math.max(interfaces, count);
    if (context.totals.stoppedBy) return;
  }
}

/** Whether the packets of `next` are of the same interfaces as those of the source before it. */
function continues(before: OpenSource, next: OpenSource): boolean {
  if (next.lane === null || next.lane !== before.lane || !before.beginning || !next.beginning) return false;
  return Buffer.compare(before.beginning.state, next.beginning.state) === 0;
}

/** `base`: the number of the source's first interface where the output describes it already, else null. */
function scanSource(source: OpenSource, interfaces: number, base: number | null, context: ScanContext): AsyncGenerator<Piece, number> {
  if (source.kind === 'stream') return scanStreamSource(source, interfaces, context);
  const { offset, state } = source.beginning!;
  const from = base === null ? null : { offset, state, base };
  const answer = askIndex(source, context);
  if (answer) return scanIndexed(source, answer, from, interfaces, context);
  return from ? scanFileFrom(source, from, interfaces, context) : scanFile(source, interfaces, context);
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
