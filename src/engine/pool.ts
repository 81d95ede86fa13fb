/** The worker threads. Piscina owns them; nothing else starts one. */
import { cpus } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { fromRoot } from '../root.js';
import { INLINE_BYTES, MAX_WORKERS } from './limits.js';
import type { IndexTask, MergeTask, RangeTask, RunsResult, RunsTask, ScanResult, StreamTask } from './tasks.js';

export interface Pool {
  /** Starts the threads for ranges now; else the first range does. */
  start(): void;
  /** Whether there are threads to hand ranges to, or will be when they are asked for. */
  hasThreads(): boolean;
  range(task: RangeTask): Promise<ScanResult>;
  runs(task: RunsTask): Promise<RunsResult>;
  stream(task: StreamTask): Promise<ScanResult>;
  merge(task: MergeTask): Promise<ScanResult>;
  close(): Promise<void>;
}

function threads(count: number): Piscina {
  return new Piscina({
    filename: fromRoot('dist/run/scan-worker.js'),
    minThreads: count,
    maxThreads: count,
    // A thread that is done finds the next task waiting, and not a round trip away.
    concurrentTasksPerWorker: 2,
    // The ordered stage bounds what is handed out; nothing is refused, it waits.
    maxQueue: Infinity,
  });
}

/** Ranges are short and share the threads. A stream or a merge has a thread of its own: it lasts as long as its client. */
export function createPool(count: number): Pool {
  let ranges: Piscina | undefined;
  const streams = new Set<Piscina>();
  const started = (): Piscina => (ranges ??= threads(count));
  const alone = async (task: { stream: StreamTask } | { merge: MergeTask }, port: MessagePort): Promise<ScanResult> => {
    const own = threads(1);
    streams.add(own);
    try {
      return (await own.run(task, { transferList: [port] })) as ScanResult;
    } finally {
      streams.delete(own);
      await own.destroy();
    }
  };
  return {
    start: () => void started(),
    hasThreads: () => ranges === undefined || ranges.threads.length > 0,
    range: (task) => started().run({ range: task }) as Promise<ScanResult>,
    runs: (task) => started().run({ runs: task }) as Promise<RunsResult>,
    stream: (task) => alone({ stream: task }, task.port),
    merge: (task) => alone({ merge: task }, task.port),
    async close() {
      for (const each of [ranges, ...streams]) await each?.destroy();
    },
  };
}

/** How many threads a scan of so many bytes is worth; 0: the calling thread does it. */
export function threadsFor(bytes: number, wanted?: number): number {
  return wanted ?? (bytes > 0 && bytes <= INLINE_BYTES ? 0 : Math.min(MAX_WORKERS, cpus().length));
}

/** The pool for one scan: the caller's where it keeps one, unless threads would cost more than they give. */
export function borrowPool(threads: number, kept: Pool | undefined): Pool {
  if (threads === 0) return createInlinePool();
  return kept ? { ...kept, close: () => Promise.resolve() } : createPool(threads);
}

/** Scans on the calling thread: for a command that reads one small file, threads would cost more than the scan. */
export function createInlinePool(): Pool {
  return {
    start: () => undefined,
    hasThreads: () => true,
    async range(task) {
      const { scanRange } = await import('./worker.js');
      return scanRange(task);
    },
    async runs(task) {
      const { scanRuns } = await import('./worker.js');
      return scanRuns(task);
    },
    async stream(task) {
      const { scanStream } = await import('./stream.js');
      return scanStream(task);
    },
    async merge(task) {
      const { mergeParts } = await import('./merge.js');
      return mergeParts(task);
    },
    close: () => Promise.resolve(),
  };
}

/** Makes an index on a thread of its own, which ends with it: the threads of exports are not held up. */
export async function runIndexTask(task: IndexTask): Promise<number> {
  const own = threads(1);
  try {
    return (await own.run({ index: task })) as number;
  } finally {
    await own.destroy();
  }
}
