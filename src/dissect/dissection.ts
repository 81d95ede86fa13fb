/** Packets go in as a capture file, and out come the numbers of those that a display filter accepts. */
import { SpillwayError } from '../errors.js';
import { Child } from './child.js';
import { confined } from './command.js';
import { failureOf } from './failures.js';
import { LEAST_PACKET_BYTES, RUN_LIMITS, type DissectLimits } from './limits.js';
import { FrameNumbers } from './numbers.js';
import { listening, RunawayWatch } from './runaway.js';
import { joined } from './text.js';
import { dissecting, theTshark } from './tshark.js';

/** Takes bytes as a sink of the engine does. */
export class Dissection {
  readonly #child: Child;
  readonly #numbers = new FrameNumbers();
  #bytesGiven = 0;
  readonly #runaway = new RunawayWatch();
  /** Why it was ended, where its answer is wrong or will be. */
  #fault: SpillwayError | null = null;

  private constructor(
    path: string,
    text: string,
    private readonly limits: DissectLimits,
  ) {
    this.#child = new Child(
      confined(path, [...listening(text), ...dissecting(text)], limits),
      limits.silenceMs,
      (chunk) => this.#take(chunk),
      (said) => this.#hear(said),
    );
  }

  /** All of the filters must accept a packet; each was checked before. */
  static async start(filters: readonly string[], limits: Partial<DissectLimits> = {}): Promise<Dissection> {
    const text = joined(filters);
    const { path } = await theTshark();
    return new Dissection(path, text, { ...RUN_LIMITS, ...limits });
  }

  /** Of the process. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** After `finish`: bit n of it is that of the packet that was given n others before. */
  get chosen(): Uint8Array<SharedArrayBuffer> {
    return this.#numbers.bits();
  }

  /** After `finish`: no packet has a larger number, counted from 1. */
  get lastNumber(): number {
    return this.#numbers.last;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#bytesGiven += bytes.length;
    await this.#child.write(bytes);
    if (!this.#child.isOver) return;
    await this.#conclude();
    throw new SpillwayError('DISSECTOR_FAILED', 'tshark ended before it had read all packets');
  }

  async finish(): Promise<void> {
    this.#child.end();
    await this.#conclude();
  }

  async abort(): Promise<void> {
    this.#child.kill();
    await this.#child.ended.catch(() => undefined);
  }

  #take(chunk: Buffer): void {
    if (this.#fault !== null) return;
    const wrong = this.#numbers.take(chunk, this.#bytesGiven / LEAST_PACKET_BYTES);
    if (wrong !== null) this.#endFor(new SpillwayError('DISSECTOR_FAILED', `tshark was ended: ${wrong}`));
  }

  #hear(said: string): void {
    if (this.#fault !== null || !this.#runaway.hears(said)) return;
    this.#endFor(new SpillwayError('DISSECTOR_LIMIT', 'tshark was ended: a regular expression needs more steps on a packet than pcre2 allows'));
  }

  #endFor(fault: SpillwayError): void {
    this.#fault = fault;
    this.#child.kill();
  }

  async #conclude(): Promise<void> {
    const ended = await this.#child.ended;
    if (this.#fault !== null) throw this.#fault;
    const failure = failureOf(ended, this.limits);
    if (failure) throw failure;
    if (!this.#numbers.isWhole) throw new SpillwayError('DISSECTOR_FAILED', 'tshark ended in the middle of an answer');
  }
}
