/** The worker's side of a scan over a file range: bounded steps, with a look at the cancel flag between them. */
import { IndexFile, REPORT, Scan, Selection, STATUS } from '../native.js';
import { resultOf } from './result.js';
import { STEP_BYTES } from './limits.js';
import {
  CANCELLED,
  CONTROL,
  type BadBlock,
  type IndexTask,
  type MergeTask,
  type RangeTask,
  type RunsResult,
  type RunsTask,
  type ScanResult,
  type SharedSelection,
  type StreamTask,
} from './tasks.js';

/** Compiled selections of this thread, newest last. */
const scans = new Map<number, Scan>();
const KEPT_SCANS = 8;

/** This thread's scan for a selection; its read buffer is used again from task to task. */
function scanFor(selection: SharedSelection): Scan {
  let scan = scans.get(selection.id);
  if (!scan) {
    scan = scanWith(new Selection(selection));
    scans.set(selection.id, scan);
  }
  return scan;
}

/**
 * A new one, or the one that has been there the longest with another selection: the collector does not see the buffer of
 * one that is let go of, and in a thread that makes little else it would leave thousands of them.
 */
function scanWith(selection: Selection): Scan {
  const [oldest] = scans;
  if (!oldest || scans.size < KEPT_SCANS) return new Scan(selection);
  const [id, scan] = oldest;
  scans.delete(id);
  scan.use(selection);
  return scan;
}

export function scanRange(task: RangeTask): ScanResult {
  const scan = scanFor(task.selection);
  const control = new Int32Array(task.control);
  scan.openRange(task.fd, task.start, task.end, task.state, task.resync, task.interfaceBase);
  if (task.limits) scan.limit(task.limits.packets, task.limits.capturedBytes, task.limits.durationNs, task.limits.firstTimeNs);
  scan.numberFrom(task.numberFrom);
  let written = 0;
  let status: number = STATUS.budget;
  while (status === STATUS.budget) {
    status = Atomics.load(control, CONTROL.cancel) ? CANCELLED : scan.step(task.slot, written, STEP_BYTES);
    if (status !== CANCELLED) written += scan.outLength();
  }
  const result = resultOf(scan, status, written);
  if (task.selection.format === 'none') result.info = scan.info();
  return result;
}

/** The same over several ranges, as far as they begin in the state in which the one before ended. */
export function scanRuns(task: RunsTask): RunsResult {
  const scan = scanFor(task.selection);
  const control = new Int32Array(task.control);
  const { ranges } = task;
  const badBlocks: BadBlock[] = [];
  scan.openRange(task.fd, ranges[0]!, ranges[1]!, task.state, false, task.interfaceBase, task.sums);
  if (task.limits) scan.limit(task.limits.packets, task.limits.capturedBytes, task.limits.durationNs, task.limits.firstTimeNs);
  scan.numberFrom(task.numberFrom);
  let written = 0;
  let behind = 0;
  let status: number = STATUS.budget;
  while (status === STATUS.budget) {
    status = Atomics.load(control, CONTROL.cancel) ? CANCELLED : scan.step(task.slot, written, STEP_BYTES);
    if (status !== CANCELLED) written += scan.outLength();
    if (status === STATUS.badBlock) {
      badBlocks.push(badBlockOf(scan.report));
      status = STATUS.budget;
    }
    if (status !== STATUS.done) continue;
    behind++;
    if (2 * behind < ranges.length && scan.moveTo(ranges[2 * behind]!, ranges[2 * behind + 1]!, task.laterState)) status = STATUS.budget;
  }
  const result: RunsResult = { ...resultOf(scan, status, written), ranges: behind, badBlocks };
  if (task.selection.format === 'none') result.info = scan.info();
  return result;
}

export function badBlockOf(report: BigInt64Array): BadBlock {
  return { offset: Number(report[REPORT.detailOffset]), bytes: Number(report[REPORT.detail]) };
}

/** Resolves to 0, or an errno; -1 when it was cancelled. */
async function indexFile({ control, fd, sizeBytes, path, id }: IndexTask): Promise<number> {
  const flags = new Int32Array(control);
  const file = new IndexFile(fd, sizeBytes, path, id);
  for (let status = 0; status === 0;) {
    if (Atomics.load(flags, CONTROL.cancel)) return CANCELLED;
    status = file.step(STEP_BYTES);
    if (status === 2) return file.errno();
  }
  return file.seal();
}

type Task = { range: RangeTask } | { runs: RunsTask } | { stream: StreamTask } | { merge: MergeTask } | { index: IndexTask };

/** The function piscina calls. */
export default async function run(task: Task): Promise<ScanResult | number> {
  if ('range' in task) return scanRange(task.range);
  if ('runs' in task) return scanRuns(task.runs);
  if ('index' in task) return indexFile(task.index);
  if ('merge' in task) {
    const { mergeParts } = await import('./merge.js');
    return mergeParts(task.merge);
  }
  const { scanStream } = await import('./stream.js');
  return scanStream(task.stream);
}
