/** Translated display filters against the tests' own dissector and evaluator: filters and packets by chance, on the packets that are certain. */
import { describe, expect, it } from 'vitest';
import { translateWireshark } from '../../../src/filter/wireshark/wireshark.js';
import { runProgram, verifyProgram } from '../../../src/native.js';
import { valuesOf } from './dissect.js';
import { FilterMaker } from './filters.js';
import { Chance, PacketMaker } from './packets.js';

const FILTERS = 25;
const PACKETS = 120;

describe.each([1, 113, 276, 0, 108, 101, 12, 228, 229])('on link type %i', (linkType) => {
  it('programs accept what the evaluator accepts', () => {
    const seed = Number(process.env['SPILLWAY_SEED'] ?? 7) + linkType;
    const chance = new Chance(seed);
    const [filters, packets] = [new FilterMaker(chance), new PacketMaker(chance, linkType)];
    const seen = { true: 0, false: 0, uncertain: 0 };
    for (let n = 0; n < FILTERS; n += 1) {
      const { text, holds } = filters.filter();
      const programs = translateWireshark(text, linkType);
      // Of raw IP, frames are for tshark.
      if (!programs && /frame\[|& /.test(text)) continue;
      if (!programs) throw new Error(`seed ${seed}: ${text} is not translated`);
      expect([verifyProgram(programs.answer), verifyProgram(programs.certain)]).toEqual([null, null]);
      for (let i = 0; i < PACKETS; i += 1) {
        const { bytes, wireLength } = packets.packet();
        const run = (code: Uint8Array): boolean => runProgram(code, bytes, wireLength) !== 0;
        if (!run(programs.certain)) {
          seen.uncertain += 1;
          continue;
        }
        const expected = holds(valuesOf(linkType, bytes, wireLength));
        seen[`${expected}`] += 1;
        if (run(programs.answer) !== expected)
          throw new Error(`seed ${seed}: ${text} on ${bytes.toString('hex')} of ${wireLength}: expected ${expected}`);
      }
    }
    expect(Math.min(seen.true, seen.false, seen.uncertain), JSON.stringify(seen)).toBeGreaterThan(100);
  });
});
