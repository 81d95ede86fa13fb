/** Long lists as text in pieces, with turns for everybody else between them. */
import { writeJson } from '../export/json.js';
import { PIECE_CHARACTERS, TURN_MS } from './limits.js';

/** Values of a list in a row, without a look at the time: a fraction of a millisecond. */
const BATCH = 16;

/** Whoever works for long asks it now and then. */
export class Breath {
  #sinceMs = performance.now();

  constructor(private readonly signal: AbortSignal) {}

  /** It is time to `take` one. */
  get isDue(): boolean {
    return performance.now() - this.#sinceMs >= TURN_MS;
  }

  /** Lets others have a turn; rejects where the time is over. */
  async take(): Promise<void> {
    await new Promise(setImmediate);
    this.signal.throwIfAborted();
    this.#sinceMs = performance.now();
  }
}

/** One JSON value a line. */
export function jsonLines(values: Iterable<unknown> | AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator<string> {
  return gathered(values, (value) => `${writeJson(value)}\n`, signal);
}

/** Texts put together to pieces of a handy size. */
export function pieces(texts: Iterable<string> | AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
  return gathered(texts, (text) => text, signal);
}

async function* gathered<T>(values: Iterable<T> | AsyncIterable<T>, textOf: (value: T) => string, signal: AbortSignal): AsyncGenerator<string> {
  const breath = new Breath(signal);
  let piece = '';
  try {
    for await (const some of Symbol.iterator in values ? inBatches(values) : oneByOne(values)) {
      for (const value of some) piece += textOf(value);
      if (piece.length >= PIECE_CHARACTERS) {
        yield piece;
        piece = '';
      }
      if (breath.isDue) await breath.take();
    }
  } catch (error) {
    // What there was before it went wrong is worth having.
    if (piece !== '') yield piece;
    throw error;
  }
  if (piece !== '') yield piece;
}

/** Waiting for each of a list that is there would cost more than its text. */
function* inBatches<T>(values: Iterable<T>): Generator<T[]> {
  let batch: T[] = [];
  for (const value of values) {
    if (batch.push(value) < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

async function* oneByOne<T>(values: AsyncIterable<T>): AsyncGenerator<T[]> {
  for await (const value of values) yield [value];
}
