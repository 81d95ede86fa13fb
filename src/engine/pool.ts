/** The worker threads. Piscina owns them; nothing else starts one. */
import { Piscina } from 'piscina';
import type { RangeTask, ScanResult, StreamTask } from './tasks.js';

export interface Pool {
  range(task: RangeTask): Promise<ScanResult>;
  stream(task: StreamTask): Promise<ScanResult>;
  close(): Promise<void>;
}

/** Workers run compiled code also where the caller runs from the TypeScript sources (tests). */
function workerFile(): string {
  const compiled = import.meta.url.endsWith('.ts') ? '../../dist/engine/worker.js' : './worker.js';
  return new URL(compiled, import.meta.url).href;
}

function threads(count: number): Piscina {
  return new Piscina({
    filename: workerFile(),
    minThreads: count,
    maxThreads: count,
    // The ordered stage bounds what is handed out; nothing is refused, it waits.
    maxQueue: Infinity,
  });
}

/** Ranges are short and share the threads. A stream has a thread of its own: it lasts as long as its client. */
export function createPool(count: number): Pool {
  let ranges: Piscina | undefined;
  const streams = new Set<Piscina>();
  return {
    range(task) {
      ranges ??= threads(count);
      return ranges.run({ range: task }) as Promise<ScanResult>;
    },
    async stream(task) {
      const own = threads(1);
      streams.add(own);
      try {
        return (await own.run({ stream: task }, { transferList: [task.port] })) as ScanResult;
      } finally {
        streams.delete(own);
        await own.destroy();
      }
    },
    async close() {
      await Promise.all([ranges, ...streams].map((each) => each?.destroy()));
    },
  };
}

/** Scans on the calling thread: for a command that reads one small file, threads would cost more than the scan. */
export function createInlinePool(): Pool {
  return {
    async range(task) {
      const { scanRange } = await import('./worker.js');
      return scanRange(task);
    },
    async stream(task) {
      const { scanStream } = await import('./stream.js');
      return scanStream(task);
    },
    close: () => Promise.resolve(),
  };
}
