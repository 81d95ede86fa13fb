/** The worker's side of a scan over a stream: slots come by a port, filled ones go back by it. */
import { REPORT, Scan, Selection, STATUS } from '../native.js';
import { readBytes, StreamDamage } from './bytes.js';
import { STEP_BYTES } from './limits.js';
import { PortQueue } from './port-queue.js';
import { resultOf } from './result.js';
import { CANCELLED, CONTROL, CONTROL_BYTES_IN, type FromStream, type ScanResult, type StreamTask, type ToStream } from './tasks.js';

/** Output is held back no longer than this while the input is silent. */
const IDLE_MS = 200;

/** How often a silent stream looks at the cancel flag. */
const CANCEL_CHECK_MS = 50;

/** Passes `input` through and calls `idle` when it has been silent for a while: once for each silence. */
async function* withIdle<T>(input: AsyncGenerator<T>, idle: () => void): AsyncGenerator<T> {
  try {
    for (;;) {
      const timer = setTimeout(idle, IDLE_MS);
      const next = await input.next().finally(() => clearTimeout(timer));
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await input.return(undefined);
  }
}

export async function scanStream(task: StreamTask): Promise<ScanResult> {
  const scan = new Scan(new Selection(task.selection));
  const control = new Int32Array(task.control);
  const bytesIn = new BigInt64Array(task.control);
  const inbox = new PortQueue<ToStream>(task.port);
  // Reading waits for a silent source as long as it takes: only from outside can it be told to give up.
  const giveUp = new AbortController();
  const cancelled = (): boolean => Atomics.load(control, CONTROL.cancel) !== 0;
  const watch = setInterval(() => cancelled() && giveUp.abort(), CANCEL_CHECK_MS);
  task.port.on('close', () => giveUp.abort());
  let slot: Uint8Array | null = null;
  let written = 0;

  /** Steps until more input is needed or the scan is over. Gives up the slot each time something must be told. */
  const steps = async (): Promise<ScanResult | null> => {
    for (;;) {
      if (cancelled()) return resultOf(scan, CANCELLED, 0);
      if (!slot) {
        const message = await inbox.next();
        if (!message) return resultOf(scan, CANCELLED, 0);
        if ('selection' in message) scan.use(new Selection(message.selection));
        if ('slot' in message) slot = message.slot;
        continue;
      }
      const status = scan.step(slot, written, STEP_BYTES);
      written += scan.outLength();
      if (status === STATUS.needInput) return null;
      if (status === STATUS.budget) continue;
      if (status !== STATUS.outputFull && status !== STATUS.needProgram) return resultOf(scan, status, written);
      send(status);
    }
  };
  const send = (status: number): void => {
    if (!slot) return;
    task.port.postMessage({ result: resultOf(scan, status, written), slot, last: false } satisfies FromStream);
    slot = null;
    written = 0;
  };
  /** The last result: its slot goes back with it, empty or not. */
  const finish = (last: ScanResult): ScanResult => {
    clearInterval(watch);
    const result = { ...last, info: scan.info() };
    task.port.postMessage({ result, slot, last: true } satisfies FromStream);
    return result;
  };

  scan.openStream(task.interfaceBase);
  if (task.limits) scan.limit(task.limits.packets, task.limits.capturedBytes, task.limits.durationNs, task.limits.firstTimeNs);
  scan.numberFrom(task.numberFrom);
  let fault: string | null = null;
  try {
    const input = readBytes(task.input, giveUp.signal, (n) => Atomics.add(bytesIn, CONTROL_BYTES_IN, BigInt(n)));
    for await (const bytes of withIdle(input, () => written > 0 && send(STATUS.budget))) {
      for (let at = 0; at < bytes.length; at += STEP_BYTES) {
        scan.feed(bytes.subarray(at, at + STEP_BYTES), false);
        const over = await steps();
        if (over) return finish(over);
      }
    }
  } catch (error) {
    if (!(error instanceof StreamDamage)) {
      clearInterval(watch);
      throw error;
    }
    fault = error.message;
  }
  if (giveUp.signal.aborted) return finish(resultOf(scan, CANCELLED, 0));
  scan.feed(new Uint8Array(0), true);
  const last = (await steps()) ?? resultOf(scan, STATUS.done, written);
  // The first fault is the cause: a capture cut short by it would only be named as the consequence.
  if (fault !== null && (last.status === STATUS.done || last.status === STATUS.damage)) {
    last.report[REPORT.detailOffset] = last.report[REPORT.end]!;
    return finish({ ...last, status: STATUS.damage, damage: fault });
  }
  return finish(last);
}
