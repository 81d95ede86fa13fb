/** The worker's side of a scan over a file range: bounded steps, with a look at the cancel flag between them. */
import { Scan, Selection, STATUS } from '../native.js';
import { resultOf } from './result.js';
import { STEP_BYTES } from './limits.js';
import { CANCELLED, CONTROL, type RangeTask, type ScanResult, type SharedSelection, type StreamTask } from './tasks.js';

/** Compiled selections of this thread, newest last. */
const scans = new Map<number, Scan>();
const KEPT_SCANS = 8;

/** This thread's scan for a selection; its read buffer is used again from task to task. */
function scanFor(selection: SharedSelection): Scan {
  let scan = scans.get(selection.id);
  if (!scan) {
    scan = new Scan(new Selection(selection));
    for (const old of scans.keys()) {
      if (scans.size < KEPT_SCANS) break;
      scans.delete(old);
    }
    scans.set(selection.id, scan);
  }
  return scan;
}

export function scanRange(task: RangeTask): ScanResult {
  const scan = scanFor(task.selection);
  const control = new Int32Array(task.control);
  scan.openRange(task.fd, task.start, task.end, task.state, task.resync, task.interfaceBase);
  if (task.limits) scan.limit(task.limits.packets, task.limits.capturedBytes, task.limits.durationNs, task.limits.firstTimeNs);
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

/** The function piscina calls. */
export default async function run(task: { range: RangeTask } | { stream: StreamTask }): Promise<ScanResult> {
  if ('range' in task) return scanRange(task.range);
  const { scanStream } = await import('./stream.js');
  return scanStream(task.stream);
}
