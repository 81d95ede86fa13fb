/**
 * Random and hostile classic-BPF programs: which of them may run, and what they return, is what libpcap's own verifier
 * and interpreter say. Where a run loads scratch memory that it never stored, libpcap returns what its stack held;
 * here such a word is 0. Those runs are listed, and an evaluator of the tests' own proves the reason of each.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runProgram, verifyProgram } from '../../src/native.js';
import { hasCorpora, requireOrSkip } from '../setup/require.js';
import { Agreement } from '../support/agreement.js';
import { bytecode, CODES, evaluate, type Insn } from '../support/cbpf.js';
import { corpus } from '../support/corpora.js';

interface Vectors {
  /** Hexadecimal. */
  packets: string[];
  programs: {
    insns: [code: number, jt: number, jf: number, k: number][];
    valid: boolean | 'libpcap-aborts';
    runs?: [packet: number, wireLength: number, value: number][];
  }[];
}

const enabled = requireOrSkip('the corpora', hasCorpora());

describe.runIf(enabled)('classic-BPF programs of the corpora', () => {
  const vectors = (enabled ? JSON.parse(readFileSync(corpus('cbpf', 'vectors.json'), 'utf8')) : { packets: [], programs: [] }) as Vectors;
  const packets = vectors.packets.map((hex) => Buffer.from(hex, 'hex'));
  const programs = vectors.programs.map(({ insns, ...rest }, index) => {
    const list = insns.map(([code, jt, jf, k]): Insn => ({ code, jt, jf, k }));
    return { index, insns: list, code: bytecode(list), ...rest };
  });

  it('may run where libpcap lets them, and nowhere else', () => {
    const agreement = new Agreement('cbpf-validity');
    for (const { index, insns, code, valid } of programs) {
      if (valid === 'libpcap-aborts') continue;
      const why = verifyProgram(code);
      // The one reason to refuse what libpcap lets through: its verifier looks at the class of an instruction alone.
      if (why !== null && valid)
        expect(
          insns.some((insn) => !CODES.includes(insn.code)),
          `program ${index}: ${why}`,
        ).toBe(true);
      // The reason that the list may give for refusing what libpcap accepts.
      if (why !== null && valid) expect(why, `program ${index}`).toMatch(/^instruction \d+ is unknown$/);
      agreement.row(String(index), (why === null) === valid ? null : `${why ?? 'accepted'}, where libpcap says ${valid}`);
    }
    agreement.conclude(2000);
  });

  it('are refused or end where libpcap’s interpreter aborts or goes on for ever', () => {
    const agreement = new Agreement('cbpf-aborts');
    for (const { index, code, valid } of programs) {
      if (valid !== 'libpcap-aborts') continue;
      if (verifyProgram(code) === null) for (const packet of packets) runProgram(code, packet, packet.length);
      else expect(() => runProgram(code, packets[0]!, 0)).toThrow(TypeError);
      agreement.row(String(index), null);
    }
    agreement.conclude(1);
  });

  it('return what libpcap returns', () => {
    const agreement = new Agreement('cbpf-runs');
    for (const { index, insns, code, runs = [] } of programs) {
      if (verifyProgram(code) !== null) continue; // counted among the validities
      for (const [run, [packet, wireLength, wanted]] of runs.entries()) {
        const value = runProgram(code, packets[packet]!, wireLength);
        const own = evaluate(insns, packets[packet]!, wireLength);
        expect(value, `program ${index}, run ${run}: the tests' evaluator`).toBe(own.value);
        const differs = value === wanted ? null : `${value}, not ${wanted}`;
        // The reason that the list may give is that scratch memory was not stored; a difference with any other fails here.
        if (differs !== null) expect(own.readsUnstored, `program ${index}, run ${run}: ${differs}, and all scratch words were stored`).toBe(true);
        agreement.row(`program ${index} run ${run}`, differs);
      }
    }
    agreement.conclude(8000);
  });
});
