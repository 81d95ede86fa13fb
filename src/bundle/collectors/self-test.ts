/** Holds the buffer against what it says of itself: a sample in a moment, and more of it for a verbose package. */
import type { Collector, CollectorContext, Verbosity } from '../collector.js';
import { listSegments, type Segment } from '../../buffer/catalog.js';
import { interfaceFolders } from '../../buffer/jobs.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS, KEPT } from '../limits.js';
import { Breath, jsonLines } from '../pieces.js';
import { askCaptures } from './captures.js';
import type { Finding } from './finding.js';
import { marksAgree, spaceSuffices } from './job-checks.js';
import { segmentHolds } from './segment-check.js';

const TIMES = { base: KEPT.base.selfTestMs, verbose: KEPT.verbose.selfTestMs };

/** `forMs`: how long it looks. */
export function selfTest(facts: ProbeFacts, forMs: Record<Verbosity, number> = TIMES): Collector {
  return {
    name: 'self-test',
    section: 'status',
    file: 'status/self-test.jsonl',
    about: 'The newest and the oldest segments, marks, free space and retention of each job, held against each other',
    ...BOUNDS.selfTest,
    collect: (context) => jsonLines(results(facts, forMs[context.verbosity], context), context.signal),
  };
}

/** A sealed segment that is to be looked at. */
interface Target {
  about: { job: string; interface: string };
  folder: string;
  segment: Segment;
}

async function* results(facts: ProbeFacts, forMs: number, { verbosity, signal }: CollectorContext): AsyncGenerator<unknown> {
  const breath = new Breath(signal);
  const asked = await askCaptures(facts);
  // What captures take to answer is not looking.
  const untilMs = performance.now() + forMs;
  const isOver = (): boolean => performance.now() >= untilMs;
  const newest: Target[] = [];
  const oldest: Target[] = [];
  let unseen = 0;
  for (const { job, status } of asked) {
    if (isOver()) {
      unseen += 1;
      continue;
    }
    yield { job: job.name, ...(await tried('space', () => spaceSuffices(job, status))) };
    for (const { name, path } of await interfaceFolders(job).catch(() => [])) {
      if (breath.isDue) await breath.take();
      const about = { job: job.name, interface: name };
      const sealed = (await listSegments(path).catch(() => [])).filter((segment) => segment.sealed);
      yield { ...about, ...(await tried('marks', () => marksAgree(path, sealed.length))) };
      const [first, last] = [sealed[0], sealed.at(-1)];
      if (last) newest.push({ about, folder: path, segment: last });
      if (first && first !== last) oldest.push({ about, folder: path, segment: first });
    }
  }
  const targets = [...newest, ...oldest];
  for (const [i, { about, folder, segment }] of targets.entries()) {
    if (isOver()) {
      yield { check: 'segments', result: 'skipped', about: `the time ended before ${targets.length - i} of ${targets.length} segments` };
      break;
    }
    // Each has its share of the time that is left.
    const shareMs = (untilMs - performance.now()) / (targets.length - i);
    const isWhole = verbosity === 'verbose';
    const result = await tried('segment', () => segmentHolds(folder, segment, { isWhole, untilMs: performance.now() + shareMs, signal }));
    yield { ...about, segment: segment.stem, ...result };
  }
  if (unseen > 0) yield { check: 'jobs', result: 'skipped', about: `the time ended before ${unseen} of ${asked.length} jobs` };
}

async function tried(check: string, look: () => Promise<Finding>): Promise<{ check: string; result: 'ok' | 'failed'; about: string }> {
  const finding: Finding = await look().catch((error: unknown) => ({ failed: (error as Error).message }));
  return 'failed' in finding ? { check, result: 'failed', about: finding.failed } : { check, result: 'ok', about: finding.ok };
}
