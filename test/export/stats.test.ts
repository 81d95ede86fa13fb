import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from '../../src/export/deadline.js';
import { firstStats, percentOf, runningStats } from '../../src/export/stats.js';
import type { Progress } from '../../src/engine/types.js';

const progress = (given: Partial<Progress>): Progress => ({
  bytesDone: 0,
  bytesTotal: 1000,
  packetsRead: 0n,
  packetsInWindows: 0n,
  packetsOut: 0n,
  outBytes: 0,
  ...given,
});
const none = { packets: 0n, capturedBytes: 0n, durationNs: 0n };

describe('progress in percent', () => {
  it('never goes back and never reaches 100 before the end', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ bytesDone: fc.nat(5000), bytesTotal: fc.nat(3000) })), (steps) => {
        let before = 0;
        for (const step of steps) {
          const now = percentOf(progress(step), before);
          expect(now).toBeGreaterThanOrEqual(before);
          expect(now).toBeLessThan(100);
          before = now;
        }
      }),
    );
  });

  it('tells the share of the source that is done', () => {
    expect(percentOf(progress({ bytesDone: 251 }), 0)).toBe(25.1);
    expect(percentOf(progress({ bytesDone: 251, bytesTotal: 0 }), 0)).toBe(0);
  });
});

describe('estimates', () => {
  it('stretch what is out over what is left', () => {
    const stats = runningStats(progress({ bytesDone: 250, packetsOut: 10n, packetsInWindows: 12n, outBytes: 300 }), none, firstStats(1000));
    expect(stats).toMatchObject({
      estimated_packets: 40n,
      estimated_bytes: 1200n,
      exported_packets: 10n,
      exported_bytes: 300,
      processed_packets: 12n,
      total_bytes: 1000,
    });
  });

  it('stop at the packet limit', () => {
    const stats = runningStats(progress({ bytesDone: 250, packetsOut: 10n, outBytes: 300 }), { ...none, packets: 20n }, firstStats(1000));
    expect(stats).toMatchObject({ estimated_packets: 20n, estimated_bytes: 600n });
  });

  it('are what is out where the size of the source is not known', () => {
    const stats = runningStats(progress({ bytesTotal: 0, bytesDone: 50, packetsOut: 10n, outBytes: 300 }), none, firstStats(0));
    expect(stats).toMatchObject({ estimated_packets: 10n, estimated_bytes: 300n });
  });
});

describe('a deadline', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('passes once, at its time', () => {
    const passed = vi.fn();
    new Deadline().start(1000, passed);
    vi.advanceTimersByTime(999);
    expect(passed).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000_000);
    expect(passed).toHaveBeenCalledTimes(1);
  });

  it('can be longer than a timer of Node', () => {
    const passed = vi.fn();
    new Deadline().start(2 ** 32, passed);
    vi.advanceTimersByTime(2 ** 32 - 1);
    expect(passed).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(passed).toHaveBeenCalledTimes(1);
    new Deadline().start(2n ** 64n - 1n, passed);
    vi.advanceTimersByTime(2 ** 40);
    expect(passed).toHaveBeenCalledTimes(1);
  });

  it('begins again, and stops', () => {
    const passed = vi.fn();
    const deadline = new Deadline();
    deadline.start(1000, passed);
    vi.advanceTimersByTime(900);
    deadline.start(1000, passed);
    vi.advanceTimersByTime(900);
    expect(passed).not.toHaveBeenCalled();
    deadline.stop();
    vi.advanceTimersByTime(10_000);
    expect(passed).not.toHaveBeenCalled();
  });
});
