/** Parts of the cases that can be wrong without a mismatch. */
import { describe, expect, it } from 'vitest';
import { epoch, middleSecond } from '../../bench/cases/editcap.js';
import { EXPRESSIONS } from '../../bench/cases/tcpdump.js';

describe('the one-second slice', () => {
  it('lies in the middle, on a microsecond, and is one second long', () => {
    const [from, to] = middleSecond({ firstNs: 1_700_000_000_000_000_000n, lastNs: 1_700_000_010_000_000_001n });
    expect(epoch(from)).toBe('1700000004.500000000');
    expect(epoch(to)).toBe('1700000005.500000000');
  });

  it('begins with a capture that is shorter, and holds all of it', () => {
    const [firstNs, lastNs] = [1_700_000_000_000_000_000n, 1_700_000_000_500_000_000n];
    const [from, to] = middleSecond({ firstNs, lastNs });
    expect(from).toBe(firstNs);
    expect(to).toBeGreaterThan(lastNs);
  });
});

it('the ten-term expression has ten terms', () => {
  const text = EXPRESSIONS.find(({ what }) => what === 'ten terms')!.text!;
  expect(text.split(/ and | or /)).toHaveLength(10);
});
