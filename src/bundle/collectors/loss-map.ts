/** What captures lost: sums for each interface and kind, and the newest losses of all. */
import { interfaceFolders } from '../../buffer/jobs.js';
import { lossesInParts } from '../../buffer/losses.js';
import type { Loss } from '../../engine/lane.js';
import { formatRfc3339 } from '../../units.js';
import type { Collector, CollectorContext } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS, KEPT } from '../limits.js';
import { Breath, jsonLines } from '../pieces.js';

export function lossMap(facts: ProbeFacts): Collector {
  return {
    name: 'loss-map',
    section: 'status',
    file: 'status/losses.jsonl',
    about: 'What captures lost: sums by interface and kind, then the newest losses, the oldest of them first',
    ...BOUNDS.lossMap,
    collect: (context) => jsonLines(losses(facts, context), context.signal),
  };
}

interface Sum {
  losses: number;
  /** Of losses whose packets are known. */
  packets: bigint;
  unknown: number;
  firstNs: bigint;
  lastNs: bigint;
}

async function* losses({ jobs }: ProbeFacts, { verbosity, signal }: CollectorContext): AsyncGenerator<unknown> {
  const newest = new Newest(KEPT[verbosity].losses);
  const breath = new Breath(signal);
  for (const job of await jobs.list()) {
    try {
      for (const { name, path } of await interfaceFolders(job)) {
        const sums = new Map<Loss['kind'], Sum>();
        for await (const part of lossesInParts(path, `${job.name}/${name}`)) {
          for (const loss of part) add(sums, loss);
          newest.add(part);
          if (breath.isDue) await breath.take();
        }
        for (const [kind, sum] of sums) yield { job: job.name, interface: name, kind, ...shownSum(sum) };
      }
    } catch (error) {
      signal.throwIfAborted();
      yield { job: job.name, error: (error as Error).message };
    }
  }
  for (const { kind, source, startNs, endNs, packets } of newest.all())
    yield { loss: kind, of: source, start: formatRfc3339(startNs), end: formatRfc3339(endNs), packets };
}

function add(sums: Map<Loss['kind'], Sum>, { kind, startNs, endNs, packets }: Loss): void {
  const sum = sums.get(kind) ?? { losses: 0, packets: 0n, unknown: 0, firstNs: startNs, lastNs: endNs };
  sum.losses += 1;
  sum.packets += packets ?? 0n;
  sum.unknown += Number(packets === null);
  if (startNs < sum.firstNs) sum.firstNs = startNs;
  if (endNs > sum.lastNs) sum.lastNs = endNs;
  sums.set(kind, sum);
}

function shownSum({ losses: count, packets, unknown, firstNs, lastNs }: Sum): object {
  return { losses: count, packets, without_count: unknown, first: formatRfc3339(firstNs), last: formatRfc3339(lastNs) };
}

/** The last of all that are added, by the times of their ends. */
class Newest {
  #kept: Loss[] = [];

  constructor(private readonly limit: number) {}

  add(part: readonly Loss[]): void {
    this.#kept.push(...part);
    // Sorted seldom: every other thousand at least.
    if (this.#kept.length >= 2 * this.limit + 1024) this.#kept = this.all();
  }

  all(): Loss[] {
    return this.#kept.sort((a, b) => (a.endNs < b.endNs ? -1 : a.endNs > b.endNs ? 1 : 0)).slice(-this.limit);
  }
}
