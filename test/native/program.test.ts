/** The verifier and the interpreter through the addon: what is refused, and what each instruction does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runProgram, Selection, verifyProgram } from '../../src/native.js';
import { bytecode, CODES, evaluate, type Insn } from '../support/cbpf.js';
import { EVERYTHING } from '../support/scan.js';

const insn = (code: number, k = 0, jt = 0, jf = 0): Insn => ({ code, k, jt, jf });
const ret = (k: number): Insn => insn(0x06, k);
const retA = insn(0x16);

describe('the verifier', () => {
  const refused: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /no whole instructions/],
    ['half an instruction', new Uint8Array(12), /no whole instructions/],
    ['an unknown instruction', bytecode([insn(0x0e), ret(0)]), /instruction 0 is unknown/],
    ['no return at the end', bytecode([ret(1), insn(0x00, 1)]), /is the last and does not return/],
    ['a jump as the last', bytecode([ret(1), insn(0x05, 0)]), /jumps outside|return/],
    ['a jump behind the end', bytecode([insn(0x15, 0, 1, 0), ret(0)]), /instruction 0 jumps outside/],
    ['a far jump', bytecode([insn(0x05, 1000), ret(0)]), /instruction 0 jumps outside/],
    ['a jump before the beginning', bytecode([ret(0), insn(0x05, 0xfffffffd), ret(0)]), /jumps outside/],
    ['scratch word 16', bytecode([insn(0x02, 16), ret(0)]), /scratch word 16/],
    ['scratch word 2^32-1', bytecode([insn(0x60, 0xffffffff), ret(0)]), /scratch word 4294967295/],
    ['division by zero', bytecode([insn(0x34, 0), ret(0)]), /instruction 0 divides by zero/],
    ['modulo zero', bytecode([insn(0x94, 0), ret(0)]), /divides by zero/],
    ['too many instructions', bytecode(Array.from({ length: 65_537 }, () => ret(0))), /longer than 65536/],
  ];
  it.each(refused)('refuses %s', (_, code, why) => {
    expect(verifyProgram(code)).toMatch(why);
    expect(() => runProgram(code, new Uint8Array(4), 4)).toThrow(TypeError);
    expect(() => new Selection({ ...EVERYTHING, filters: [[{ linkType: 1, code }]] })).toThrow(expect.objectContaining({ code: 'FILTER_INVALID' }));
  });
  it('takes what is at its limits', () => {
    expect(verifyProgram(bytecode([ret(0)]))).toBe(null);
    expect(verifyProgram(bytecode([insn(0x02, 15), insn(0x60, 15), retA]))).toBe(null);
    expect(verifyProgram(bytecode(Array.from({ length: 65_536 }, () => ret(0))))).toBe(null);
  });
});

describe('the interpreter', () => {
  const packet = Buffer.from('0102030405060708', 'hex');
  const run = (...insns: Insn[]): number => runProgram(bytecode(insns), packet, 100);

  it('loads big-endian, and returns 0 for what lies beyond the captured bytes', () => {
    expect(run(insn(0x20, 0), retA)).toBe(0x01020304);
    expect(run(insn(0x28, 6), retA)).toBe(0x0708);
    expect(run(insn(0x30, 7), retA)).toBe(8);
    for (const [code, k] of [
      [0x20, 5],
      [0x28, 7],
      [0x30, 8],
      [0x20, 0xffffffff],
      [0x28, 0xffffffff],
      [0x30, 0xffffffff],
      [0xb1, 8],
    ] as const)
      expect(run(insn(code, k), ret(7)), `${code} ${k}`).toBe(0);
  });
  it('does not let X and k wrap around into the packet', () => {
    for (const code of [0x40, 0x48, 0x50]) {
      expect(run(insn(0x01, 0xffffffff), insn(code, 1), ret(7))).toBe(0);
      expect(run(insn(0x01, 0xfffffffe), insn(code, 4), ret(7))).toBe(0);
    }
  });
  it('knows the length on the wire beside that of the bytes', () => expect(run(insn(0x80), retA)).toBe(100));
  it('ends with 0 where X is zero and divides', () => {
    expect(run(insn(0x00, 5), insn(0x3c), ret(7))).toBe(0);
    expect(run(insn(0x00, 5), insn(0x9c), ret(7))).toBe(0);
  });
  it('starts with A, X and scratch at 0', () => {
    expect(run(retA)).toBe(0);
    expect(run(insn(0x87), retA)).toBe(0);
    expect(run(insn(0x00, 3), insn(0x02, 1), insn(0x60, 0), retA)).toBe(0);
  });
  it('ends a loop', () => {
    // Jumps back to itself: only a budget ends it.
    expect(run(insn(0x05, 0xffffffff), ret(7))).toBe(0);
  });
  it('takes an empty packet', () => expect(runProgram(bytecode([insn(0x80), retA]), new Uint8Array(0), 0)).toBe(0));

  it('does what the tests’ evaluator does, for programs at random', () => {
    const k = fc.oneof(fc.nat(15), fc.nat(80), fc.constantFrom(0x7fffffff, 0x80000000, 0xffffffff, 31, 32, 33));
    const one = fc.record({ code: fc.constantFrom(...CODES), k, jt: fc.nat(3), jf: fc.nat(3) });
    let ran = 0;
    fc.assert(
      fc.property(fc.array(one, { maxLength: 20 }), fc.uint8Array({ maxLength: 80 }), fc.nat(2000), (body, bytes, wireLength) => {
        // Jumps forward, to the returns that are added at the most.
        const insns = [...body.map((each) => (each.code === 0x05 ? { ...each, k: each.k % 4 } : each)), ...Array<Insn>(4).fill(retA)];
        const code = bytecode(insns);
        if (verifyProgram(code) !== null) return;
        ran += 1;
        expect(runProgram(code, bytes, wireLength)).toBe(evaluate(insns, bytes, wireLength).value);
      }),
      { numRuns: 3000 },
    );
    expect(ran).toBeGreaterThan(500);
  });
});
