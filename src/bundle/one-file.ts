/** One collector's file: run within its time, redacted, cut at its size, hashed. Whatever it does, only a note comes of it. */
import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { coded } from '../errors.js';
import type { Collector, CollectorContext, Verbosity } from './collector.js';
import type { ManifestEntry } from './manifest.js';
import { Redactor } from './redact.js';

/** Where text has no end yet, this much of it is redacted before others have their turn. */
const TURN_CHARACTERS = 64 << 10;

export class CollectedFile {
  readonly #hash = createHash('sha256');
  readonly #redactor: Redactor;
  readonly #begun = performance.now();
  readonly #signal: AbortSignal;
  readonly #timeOver: AbortController;
  #bytes = 0;
  #isCut = false;
  #note: string | null = null;

  /** `signal` cancels the whole package; `maxBytes` is what is left for this file. */
  constructor(
    private readonly collector: Collector,
    private readonly maxBytes: number,
    signal: AbortSignal,
  ) {
    this.#timeOver = new AbortController();
    this.#signal = AbortSignal.any([signal, this.#timeOver.signal]);
    this.#redactor = new Redactor({ keepsPasswordHashes: collector.section === 'user_credentials' });
  }

  /** The file's bytes; ends early, and never throws, when the collector fails or runs over. */
  async *bytes(verbosity: Verbosity): AsyncGenerator<Uint8Array, void, undefined> {
    const timer = setTimeout(() => this.#timeOver.abort(), this.collector.maxMs);
    try {
      for await (const text of this.#redacted({ verbosity, signal: this.#signal })) {
        const bytes = cut(Buffer.from(text), this.maxBytes - this.#bytes);
        this.#isCut = bytes.length < Buffer.byteLength(text);
        this.#bytes += bytes.length;
        this.#hash.update(bytes);
        if (bytes.length > 0) yield bytes;
        if (this.#isCut) {
          this.#note ??= `cut at ${this.#bytes} bytes`;
          return;
        }
      }
    } finally {
      clearTimeout(timer);
      // A collector that was cut stops what it still does.
      this.#timeOver.abort();
    }
  }

  entry(hasFile: boolean): ManifestEntry {
    const { name, section, about, file } = this.collector;
    return {
      name,
      section,
      about,
      file: hasFile ? file : null,
      bytes: this.#bytes,
      sha256: hasFile ? this.#hash.digest('hex') : null,
      ms: Math.round(performance.now() - this.#begun),
      ...(this.#note !== null && hasFile && { truncated: true as const }),
      ...(this.#note !== null && { note: this.#note }),
    };
  }

  async *#redacted(context: CollectorContext): AsyncGenerator<string, void, undefined> {
    try {
      const given = this.collector.collect(context);
      if (Symbol.asyncIterator in given) return yield* this.#redactor.redactText(this.#pieces(given));
      const value = await this.#inTime(Promise.resolve(given));
      if (this.#signal.aborted) return;
      for (const text of this.#redactor.redactJson(value)) {
        yield text;
        await turn();
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The collector's text until it ends, fails or is out of time: what was given by then is kept. */
  async *#pieces(given: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
    const iterator = given[Symbol.asyncIterator]();
    let since = 0;
    try {
      for (;;) {
        const next = await this.#inTime(iterator.next());
        if (this.#signal.aborted || next === undefined || next.done === true) return;
        yield next.value;
        since += next.value.length;
        if (since < TURN_CHARACTERS) continue;
        since = 0;
        await turn();
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      // Not awaited: who does not hear that time is over may not end either.
      Promise.resolve(iterator.return?.()).catch(() => undefined);
    }
  }

  /** Undefined when time was over first. */
  async #inTime<T>(work: Promise<T>): Promise<T | undefined> {
    const signal = this.#signal;
    let onAbort = (): void => undefined;
    const over = new Promise<undefined>((resolve) => {
      onAbort = () => resolve(undefined);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    work.catch(() => undefined);
    try {
      const result = await Promise.race([work, over]);
      if (signal.aborted) this.#note ??= `out of time after ${this.collector.maxMs} ms`;
      return result;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #failed(error: unknown): void {
    this.#note ??= this.#signal.aborted
      ? `out of time after ${this.collector.maxMs} ms`
      : `failed: ${new Redactor().redact(coded(error).message).slice(0, 1000)}`;
  }
}

/** At most so many bytes, and no half of a character. */
function cut(bytes: Uint8Array, max: number): Uint8Array {
  if (bytes.length <= max) return bytes;
  let end = max;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
