/** How much came lately, from totals alone. */
import { describe, expect, it } from 'vitest';
import type { CaptureStatus } from '../../src/capture/control.js';
import { Samples } from '../../src/capture/samples.js';

const STARTED_MS = 1_700_000_000_000;

/** What a capture tells that began `STARTED_MS` and has so many packets of 100 bytes. */
function status(packets: number, startedMs = STARTED_MS): CaptureStatus {
  const one = { position: 0, name: 'a', state: 'capturing' as const, received: packets, lost: { ring: 1, queue: 2, disk: 3 } };
  const interfaces = [
    { ...one, packets: packets / 2, bytes: packets * 50 },
    { ...one, packets: packets / 2, bytes: packets * 50 },
  ];
  return { version: '', pid: 1, started_at_ns: startedMs * 1e6, stored_bytes: 0, segments: 0, oldest_ns: 0, interfaces };
}

describe('samples', () => {
  const seconds = (n: number): number => STARTED_MS + n * 1000;

  it('count everything that came since a capture began a moment ago', () => {
    const { packets, bytes, dropped } = new Samples().take(status(80), seconds(0.5));
    expect(packets).toEqual({ total: 80, last_second: 80, last_minute: 80, last_hour: 80 });
    expect(bytes).toMatchObject({ total: 8000, last_second: 8000 });
    expect(dropped).toMatchObject({ total: 12, last_minute: 12 });
  });

  it('take the mean where nobody has asked before', () => {
    expect(new Samples().take(status(7200), seconds(7200)).packets).toEqual({ total: 7200, last_second: 1, last_minute: 60, last_hour: 3600 });
  });

  it('are exact where somebody asks every second', () => {
    const samples = new Samples();
    let total = 0;
    // 10 a second for two minutes, then 1,000 in one second, then nothing for five.
    for (let n = 1; n <= 120; n++) samples.take(status((total += 10)), seconds(n));
    expect(samples.take(status((total += 1000)), seconds(121)).packets).toEqual({
      total: 2200,
      last_second: 1000,
      last_minute: 1000 + 59 * 10,
      last_hour: 2200,
    });
    let last = samples.take(status(total), seconds(122));
    for (let n = 123; n <= 126; n++) last = samples.take(status(total), seconds(n));
    expect(last.packets).toMatchObject({ last_second: 0, last_minute: 1000 + 54 * 10 });
  });

  it('stay few, however long somebody asks, and however often', () => {
    const samples = new Samples();
    for (let n = 1; n <= 20_000; n++) samples.take(status(n), seconds(n / 2));
    const { packets } = samples.take(status(20_000), seconds(10_000));
    expect(packets).toMatchObject({ last_second: 2, last_minute: 120 });
    expect(Math.abs(packets.last_hour - 7200)).toBeLessThan(3);
    expect(samples.size).toBeLessThan(130);
  });

  it('begin anew with the capture', () => {
    const samples = new Samples();
    samples.take(status(5000), seconds(100));
    expect(samples.take(status(10, seconds(101)), seconds(102)).packets).toMatchObject({ total: 10, last_minute: 10 });
  });

  it('never count backwards when the clock is set back', () => {
    const samples = new Samples();
    samples.take(status(100), seconds(100));
    const { packets } = samples.take(status(110), seconds(50));
    for (const value of Object.values(packets)) expect(value).toBeGreaterThanOrEqual(0);
  });
});
