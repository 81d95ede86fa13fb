/**
 * How much was captured in the last second, minute and hour. A capture tells totals alone, so what it answered before is
 * kept: one sample a second at most, and only as somebody asks. Between two samples the traffic counts as even, and
 * the first of all is the beginning of the capture.
 */
import type { CaptureStatus } from './control.js';

export interface Counts {
  packets: number;
  bytes: number;
  dropped: number;
}

export interface Recent {
  total: number;
  last_second: number;
  last_minute: number;
  last_hour: number;
}

interface Sample extends Counts {
  atMs: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export class Samples {
  /** When the capture began: another one has other counts. */
  #startedMs = 0;
  /** The oldest first. */
  #kept: Sample[] = [];

  /** How many are kept. */
  get size(): number {
    return this.#kept.length;
  }

  /** Takes what a capture tells; returns what it means. */
  take(status: CaptureStatus, nowMs = Date.now()): Record<keyof Counts, Recent> {
    const startedMs = status.started_at_ns / 1e6;
    if (startedMs !== this.#startedMs) this.#kept = [{ atMs: startedMs, packets: 0, bytes: 0, dropped: 0 }];
    this.#startedMs = startedMs;
    const now = { atMs: nowMs, ...countsOf(status) };
    const last = this.#kept.at(-1)!;
    if (nowMs - last.atMs >= SECOND_MS) this.#kept = thinned([...this.#kept, now]);
    const recent = (of: keyof Counts): Recent => {
      const since = (ms: number): number => Math.max(0, now[of] - Math.round(this.#at(nowMs - ms, now, of)));
      return { total: now[of], last_second: since(SECOND_MS), last_minute: since(MINUTE_MS), last_hour: since(HOUR_MS) };
    };
    return { packets: recent('packets'), bytes: recent('bytes'), dropped: recent('dropped') };
  }

  #at(ms: number, now: Sample, of: keyof Counts): number {
    const all = [...this.#kept, now];
    const next = all.findIndex(({ atMs }) => atMs > ms);
    const [before, after] = [all[next - 1], all[next]];
    if (!before) return all[0]![of];
    if (!after) return now[of];
    return before[of] + ((after[of] - before[of]) * (ms - before.atMs)) / (after.atMs - before.atMs);
  }
}

export function countsOf({ interfaces }: Pick<CaptureStatus, 'interfaces'>): Counts {
  const sum = (of: (each: CaptureStatus['interfaces'][number]) => number): number => interfaces.reduce((all, each) => all + of(each), 0);
  return {
    packets: sum(({ packets }) => packets),
    bytes: sum(({ bytes }) => bytes),
    dropped: sum(({ lost: { ring, queue, disk } }) => ring + queue + disk),
  };
}

/** Nothing comes any more. */
export function ended(total: number): Recent {
  return { total, last_second: 0, last_minute: 0, last_hour: 0 };
}

/** Each of the last minute, the last of each minute of the hour, and the one with which the hour began. */
function thinned(samples: readonly Sample[]): Sample[] {
  const nowMs = samples.at(-1)!.atMs;
  const isOld = ({ atMs }: Sample, ms: number): boolean => nowMs - atMs > ms;
  return samples.filter((sample, i) => {
    const next = samples[i + 1];
    if (!next || !isOld(sample, MINUTE_MS + SECOND_MS)) return true;
    if (isOld(next, HOUR_MS)) return false;
    return i === 0 || Math.floor(sample.atMs / MINUTE_MS) !== Math.floor(next.atMs / MINUTE_MS);
  });
}
