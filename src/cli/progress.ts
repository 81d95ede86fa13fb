/** The progress bar: on stderr, when that is a terminal. What it shows is a pure function of what is known. */
import type { Progress } from '../engine/types.js';
import { formatClock, formatRate, formatSize } from '../units.js';
import type { Io } from './io.js';

const REDRAW_MS = 100;
/** Short runs show nothing. */
const FIRST_AFTER_MS = 300;
/** The rate shown is that of about the last seconds. */
const RATE_MEMORY_MS = 3000;
const CLEAR_LINE = '\r\u001b[K';
const BAR_MIN = 10;
const BAR_MAX = 40;

/** One line that is shorter than `columns`: a full one would move the cursor on. A rate of 0 is not known. */
export function progressLine(progress: Progress, bytesPerSecond: number, columns: number): string {
  const { bytesDone, bytesTotal } = progress;
  const count = progress.packetsOut > 0n ? progress.packetsOut : progress.packetsRead;
  // A stream's packets are counted when it has ended.
  const packets = count > 0n ? `${count} packets` : '';
  const rate = bytesPerSecond > 0 ? formatRate(bytesPerSecond, 1) : '';
  if (bytesTotal === 0) return fit([formatSize(bytesDone), rate, packets], columns);
  const share = Math.min(1, bytesDone / bytesTotal);
  const left = bytesPerSecond > 0 ? `${formatClock((bytesTotal - bytesDone) / bytesPerSecond)} left` : '';
  const text = fit(
    [`${String(Math.floor(share * 100)).padStart(3)}%`, `${formatSize(bytesDone)} of ${formatSize(bytesTotal)}`, rate, left, packets],
    columns,
  );
  const room = Math.min(BAR_MAX, columns - text.length - 4);
  if (room < BAR_MIN) return text;
  const filled = Math.round(share * room);
  return `[${'#'.repeat(filled)}${'-'.repeat(room - filled)}] ${text}`;
}

/** As many of the parts as there is room for; the first ones matter most. */
function fit(parts: readonly string[], columns: number): string {
  let line = '';
  for (const part of parts.filter((text) => text !== '')) {
    const longer = line === '' ? part : `${line}  ${part}`;
    if (longer.length >= columns) break;
    line = longer;
  }
  return line;
}

/** An average that forgets: what lies `RATE_MEMORY_MS` back counts about a third. */
export class RateMeter {
  private rate = 0;

  constructor(
    private atMs: number,
    private bytes = 0,
  ) {}

  update(nowMs: number, bytes: number): number {
    const passed = nowMs - this.atMs;
    if (passed <= 0) return this.rate;
    const current = ((bytes - this.bytes) * 1000) / passed;
    const weight = this.rate === 0 ? 1 : 1 - Math.exp(-passed / RATE_MEMORY_MS);
    this.rate += (current - this.rate) * weight;
    this.atMs = nowMs;
    this.bytes = bytes;
    return this.rate;
  }
}

export interface ProgressBar {
  show(progress: Progress): void;
  /** Takes the bar away; what is written next stands at the start of the line. */
  clear(): void;
}

/** A bar on a terminal; elsewhere nothing at all. */
export function createProgressBar(io: Io, now: () => number = () => performance.now()): ProgressBar | null {
  if (!io.stderr.isTerminal || process.env['TERM'] === 'dumb') return null;
  const meter = new RateMeter(now());
  let dueMs = now() + FIRST_AFTER_MS;
  let drawn = false;
  return {
    show(progress) {
      if (now() < dueMs) return;
      dueMs = now() + REDRAW_MS;
      drawn = true;
      io.stderr.write(CLEAR_LINE + progressLine(progress, meter.update(now(), progress.bytesDone), io.stderr.columns));
    },
    clear() {
      if (drawn) io.stderr.write(CLEAR_LINE);
      drawn = false;
    },
  };
}
