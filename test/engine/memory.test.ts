/** Memory is bounded, whatever the number of exports and the size of their input: measured in a process of its own. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { bigPcap } from '../support/big.js';
import { traffic } from '../support/oracle.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const LIMIT_MB = 200;
/** Read buffers of exports that are over wait for the garbage collector: they level out below this. */
const MANY_LIMIT_MB = 400;

interface Exports {
  count: number;
  atOnce: number;
  workers: number;
  /** The threads stay from export to export, as a server keeps them. */
  isKept?: boolean;
}

/** Exports the file `count` times, some at once, and gives the largest RssAnon + RssShmem seen, in MB. */
function measure(path: string, { count, atOnce, workers, isKept = false }: Exports): number {
  const script = `
    import { readFileSync } from 'node:fs';
    import { prepareExport } from ${JSON.stringify(new URL('../../dist/engine/export.js', import.meta.url).href)};
    import { createPool } from ${JSON.stringify(new URL('../../dist/engine/pool.js', import.meta.url).href)};
    const pool = ${isKept} ? createPool(${workers}) : undefined;
    const limits = { packets: 0n, capturedBytes: 0n, durationNs: 0n };
    const sink = { write: async () => {}, finish: async () => {}, abort: async () => {} };
    const one = async () => {
      const request = { sources: [{ path: ${JSON.stringify(path)}, name: 'x' }], filters: [], windows: [], snapLengthBytes: 0, limits, format: 'pcapng_ns' };
      await (await prepareExport(request, pool && { pool })).run(sink, { workers: ${workers} });
    };
    const kilobytes = () => [...readFileSync('/proc/self/status', 'utf8').matchAll(/Rss(?:Anon|Shmem):\\s+(\\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    let most = 0;
    for (let done = 0; done < ${count}; done += ${atOnce}) {
      await Promise.all(Array.from({ length: ${atOnce} }, one));
      most = Math.max(most, kilobytes());
    }
    await pool?.close();
    console.log(most / 1024);
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return Number(stdout);
}

describe('memory', () => {
  it('stays bounded over many small exports', () => {
    const path = folder.write('small.pcap', traffic());
    expect(measure(path, { count: 1500, atOnce: 1, workers: 0 })).toBeLessThan(MANY_LIMIT_MB);
    expect(measure(path, { count: 300, atOnce: 4, workers: 0 })).toBeLessThan(MANY_LIMIT_MB);
  }, 60_000);

  it('stays bounded over larger ones', () => {
    const path = folder.write('large.pcap', bigPcap(64 << 20));
    for (const workers of [0, 2]) expect(measure(path, { count: 5, atOnce: 1, workers }), `${workers} workers`).toBeLessThan(LIMIT_MB);
  }, 60_000);

  it('stays bounded in threads that are kept, where the collector seldom comes by', () => {
    const path = folder.write('kept.pcap', traffic());
    expect(measure(path, { count: 1200, atOnce: 1, workers: 2, isKept: true })).toBeLessThan(MANY_LIMIT_MB);
  }, 60_000);
});
