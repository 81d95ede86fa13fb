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

export function createPool(threads: number): Pool {
  const piscina = new Piscina({
    filename: workerFile(),
    minThreads: threads,
    maxThreads: threads,
    // The ordered stage bounds what is handed out; a stream waits for a thread, it is never refused.
    maxQueue: Infinity,
  });
  return {
    range: (task) => piscina.run({ range: task }) as Promise<ScanResult>,
    stream: (task) => piscina.run({ stream: task }, { transferList: [task.port] }) as Promise<ScanResult>,
    close: () => piscina.destroy(),
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
