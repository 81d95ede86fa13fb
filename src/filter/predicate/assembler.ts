/**
 * Classic-BPF instructions put together from the last to the first: jumps go forward only, so that what is jumped to is there
 * already. A conditional jump reaches 255 instructions far; beyond that it goes by way of one behind it.
 */
import { SpillwayError } from '../../errors.js';
import { DEFAULT_SNAP_LENGTH_BYTES, MAX_PROGRAM_INSTRUCTIONS } from '../limits.js';

export const OP = {
  ldImm: 0x00,
  ldMem: 0x60,
  ldLen: 0x80,
  ldAbs: { 4: 0x20, 2: 0x28, 1: 0x30 },
  ldInd: { 4: 0x40, 2: 0x48, 1: 0x50 },
  ldxImm: 0x01,
  ldxMem: 0x61,
  ldxMsh: 0xb1,
  st: 0x02,
  stx: 0x03,
  add: 0x04,
  addX: 0x0c,
  subX: 0x1c,
  and: 0x54,
  andX: 0x5c,
  xorX: 0xac,
  lsh: 0x64,
  rsh: 0x74,
  neg: 0x84,
  ja: 0x05,
  jeq: 0x15,
  jgt: 0x25,
  jset: 0x45,
  jgeX: 0x3d,
  ret: 0x06,
  txa: 0x87,
  tax: 0x07,
} as const;

/** An instruction by its number from the end of the program, or what the program answers. */
export type Label = number | 'accept' | 'reject';

type Insn = readonly [code: number, jt: number, jf: number, k: number];

/** A conditional jump may put up to two instructions behind itself, and its other target goes farther by one. */
const REACH = 255 - 2;

export class Assembler {
  /** The last instruction first. */
  readonly #insns: Insn[] = [];
  readonly #returns = new Map<Label, number>();

  get instructions(): number {
    return this.#insns.length;
  }

  /** Instructions in their order, of which the last one goes on at `next`. */
  line(insns: readonly (readonly [code: number, k: number])[], next: Label): Label {
    if (next !== this.#insns.length - 1) this.#goTo(next);
    for (const [code, k] of insns.toReversed()) this.#put([code, 0, 0, k]);
    return this.#insns.length - 1;
  }

  branch(code: number, k: number, whenTrue: Label, whenFalse: Label): Label {
    const [yes, no] = [this.#near(whenTrue), this.#near(whenFalse)];
    const next = this.#insns.length - 1;
    return this.#put([code, next - yes, next - no, k]);
  }

  /** The program that begins at `start`. */
  finish(start: Label): Uint8Array {
    if (start !== this.#insns.length - 1) this.#goTo(start);
    const out = Buffer.alloc(this.#insns.length * 8);
    this.#insns.toReversed().forEach(([code, jt, jf, k], i) => {
      out.writeUInt16LE(code, i * 8);
      out[i * 8 + 2] = jt;
      out[i * 8 + 3] = jf;
      out.writeUInt32LE(k, i * 8 + 4);
    });
    return new Uint8Array(out);
  }

  /** An instruction that a conditional jump, which comes next, can reach. */
  #near(label: Label): number {
    const at = typeof label === 'number' ? label : this.#returns.get(label);
    return at !== undefined && this.#insns.length - at <= REACH ? at : this.#goTo(label);
  }

  #goTo(label: Label): number {
    if (typeof label === 'number') return this.#put([OP.ja, 0, 0, this.#insns.length - 1 - label]);
    const at = this.#put([OP.ret, 0, 0, label === 'accept' ? DEFAULT_SNAP_LENGTH_BYTES : 0]);
    this.#returns.set(label, at);
    return at;
  }

  #put(insn: Insn): number {
    if (this.#insns.push(insn) > MAX_PROGRAM_INSTRUCTIONS)
      throw new SpillwayError('FILTER_TOO_COMPLEX', `the filter's program would have more than ${MAX_PROGRAM_INSTRUCTIONS} instructions`);
    return this.#insns.length - 1;
  }
}
