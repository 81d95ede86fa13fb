/**
 * A classic-BPF machine of the tests' own: slow, plain, and watching for loads of scratch memory that nothing was stored in.
 * Written from the BSD paper and bpf(4), apart from the interpreter that it judges.
 */

export interface Insn {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

export interface Outcome {
  value: number;
  /** A scratch word was loaded that the program had not stored. */
  readsUnstored: boolean;
}

const HEX =
  '00 01 02 03 04 05 06 07 0c 14 15 16 1c 1d 20 24 25 28 2c 2d 30 34 35 3c 3d 40 44 45 48 4c 4d 50 54 5c 60 61 64 6c 74 7c 80 81 84 87 94 9c a4 ac b1';
/** Every instruction that there is; other codes mean nothing. */
export const CODES: readonly number[] = HEX.split(' ').map((hex) => parseInt(hex, 16));

const CLASS = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, ret: 6, misc: 7 };
const STEPS_MAX = 100_000;

export function bytecode(insns: readonly Insn[]): Uint8Array {
  const out = Buffer.alloc(insns.length * 8);
  insns.forEach(({ code, jt, jf, k }, i) => {
    out.writeUInt16LE(code, i * 8);
    out[i * 8 + 2] = jt;
    out[i * 8 + 3] = jf;
    out.writeUInt32LE(k, i * 8 + 4);
  });
  return out;
}

/** A load that is not inside the packet ends the program with 0. */
class Beyond extends Error {}

export function evaluate(insns: readonly Insn[], packet: Uint8Array, wireLength: number): Outcome {
  let a = 0;
  let x = 0;
  const scratch: (number | undefined)[] = [];
  let readsUnstored = false;
  const load = (at: number, size: number): number => {
    if (at + size > packet.length) throw new Beyond();
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + packet[at + i]!;
    return value;
  };
  const recall = (k: number): number => {
    readsUnstored ||= scratch[k] === undefined;
    return scratch[k] ?? 0;
  };
  /** What a load instruction loads, by its addressing mode. */
  const operand = ({ code, k }: Insn): number => {
    const size = [4, 2, 1][(code >> 3) & 3]!;
    switch (code >> 5) {
      case 0:
        return k;
      case 1:
        return load(k, size);
      case 2:
        return load(x + k, size);
      case 3:
        return recall(k);
      case 4:
        return wireLength;
      default:
        return (load(k, 1) & 15) * 4;
    }
  };
  try {
    let at = 0;
    for (let step = 0; step < STEPS_MAX; step++) {
      const insn = insns[at++]!;
      const { code, jt, jf, k } = insn;
      const operandOfAlu = code & 8 ? x : k;
      switch (code & 7) {
        case CLASS.ld:
          a = operand(insn);
          break;
        case CLASS.ldx:
          x = operand(insn);
          break;
        case CLASS.st:
          scratch[k] = a;
          break;
        case CLASS.stx:
          scratch[k] = x;
          break;
        case CLASS.alu:
          a = calculate(code >> 4, a, operandOfAlu);
          break;
        case CLASS.jmp:
          if (code >> 4 === 0) at = (at + k) >>> 0;
          else at += holds(code >> 4, a, operandOfAlu) ? jt : jf;
          break;
        case CLASS.ret:
          return { value: code & 16 ? a : k, readsUnstored };
        default:
          if (code & 128) a = x;
          else x = a;
      }
    }
  } catch (error) {
    if (!(error instanceof Beyond)) throw error;
  }
  return { value: 0, readsUnstored };
}

function calculate(operation: number, a: number, b: number): number {
  switch (operation) {
    case 0:
      return (a + b) >>> 0;
    case 1:
      return (a - b) >>> 0;
    case 2:
      return Math.imul(a, b) >>> 0;
    case 3:
      if (b === 0) throw new Beyond();
      return Math.floor(a / b);
    case 4:
      return (a | b) >>> 0;
    case 5:
      return (a & b) >>> 0;
    case 6:
      return b < 32 ? (a << b) >>> 0 : 0;
    case 7:
      return b < 32 ? a >>> b : 0;
    case 8:
      return -a >>> 0;
    case 9:
      if (b === 0) throw new Beyond();
      return a % b;
    default:
      return (a ^ b) >>> 0;
  }
}

function holds(comparison: number, a: number, b: number): boolean {
  return [false, a === b, a > b, a >= b, (a & b) !== 0][comparison]!;
}
