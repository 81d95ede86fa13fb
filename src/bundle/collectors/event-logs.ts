/** Who did what, and what began, ended and was repaired. */
import { join } from 'node:path';
import type { Job } from '../../buffer/jobs.js';
import type { Collector, CollectorContext } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS, KEPT } from '../limits.js';
import { jsonLines, pieces } from '../pieces.js';
import { tailOf } from '../places.js';
import { askCaptures } from './captures.js';

const section = 'event_logs';
/** Read from the database at once: a fraction of a millisecond. */
const ROWS = 100;
/** Of one job, so that 256 of them have room. */
const CAPTURE_LOG_BYTES = 64 << 10;

export function eventLogs(facts: ProbeFacts): Collector[] {
  return [
    {
      name: 'audit',
      section,
      file: 'event_logs/audit.jsonl',
      about: 'Who did what and from where, the newest first',
      ...BOUNDS.audit,
      collect: ({ verbosity, signal }) => jsonLines(audit(facts, KEPT[verbosity].auditRows), signal),
    },
    {
      name: 'lifecycle',
      section,
      file: 'event_logs/lifecycle.json',
      about: 'When the probe and its captures began',
      ...BOUNDS.lifecycle,
      collect: () => lifecycle(facts),
    },
    {
      name: 'capture-logs',
      section,
      file: 'event_logs/captures.log',
      about: 'The last lines of what each capture logged: repairs, losses, its end',
      ...BOUNDS.lifecycle,
      collect: (context) => pieces(captureLogs(facts, context), context.signal),
    },
  ];
}

function* audit(facts: ProbeFacts, limit: number): Generator<unknown> {
  let before: number | null = null;
  for (let left = limit; left > 0;) {
    const rows = facts.audit(Math.min(ROWS, left), before);
    for (const { timeMs, ...row } of rows) yield { time: new Date(timeMs).toISOString(), ...row };
    before = rows.at(-1)?.id ?? null;
    if (before === null) return;
    left -= rows.length;
  }
}

async function lifecycle(facts: ProbeFacts): Promise<unknown> {
  const asked = await askCaptures(facts);
  return {
    probe: facts.live ? { started: new Date(facts.live.startedMs).toISOString(), pid: process.pid } : null,
    captures: asked.flatMap(({ job, status }) => {
      if (!status) return [];
      const { pid, version, started_at_ns: startedNs } = status;
      return [{ job: job.name, started: new Date(startedNs / 1e6).toISOString(), pid, version }];
    }),
  };
}

async function* captureLogs({ jobs }: ProbeFacts, { verbosity }: CollectorContext): AsyncGenerator<string> {
  for (const job of await jobs.list()) {
    yield `== ${job.name}\n`;
    yield* logOf(job, KEPT[verbosity].captureLogLines);
  }
}

async function* logOf({ folder }: Job, lines: number): AsyncGenerator<string> {
  const path = join(folder, 'capture.log');
  try {
    let last = '\n';
    for await (const text of tailOf(path, lines, CAPTURE_LOG_BYTES)) {
      yield text;
      last = text.at(-1) ?? last;
    }
    if (last !== '\n') yield '\n';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') yield `(can not be read: ${message})\n`;
  }
}
