/** What is kept of figures and of the log for diagnostic packages: bounded, and right. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { WatchedJob } from '../../src/api/observe/captures.js';
import { History, type HistoryOptions } from '../../src/api/observe/history.js';
import { loggerOf } from '../../src/api/observe/log.js';
import { LogRing } from '../../src/api/observe/log-ring.js';

const job = (name: string, packets: number): WatchedJob => ({
  ...{ id: name, name, running: 'RUNNING', isEnabled: true, bufferBytes: 7, clips: 0 },
  interfaces: [
    { name: 'a', packets, bytes: 10 * packets, lost: { ring: 1, queue: 2, disk: 3 } },
    { name: 'b', packets: 1, bytes: null, lost: { ring: 0, queue: 0, disk: 0 } },
  ],
});

function historyOf(jobs: () => WatchedJob[], samples?: number): History {
  const options: HistoryOptions = {
    exports: () => ({
      ...{ byModeAndState: new Map([['LEGACY', new Map([['DONE', 3] as const])] as const]), bytes: 0, packets: 0, downloads: 2, spoolBytes: 9 },
      turns: { stored: { taken: 4, waiting: 5 }, live: { taken: 1, waiting: 0 } },
    }),
    connections: () => ({ busy: 6, idle: 2, evicted: 0, refused: 0 }),
    captures: { look: async () => jobs() },
  };
  return new History(options, samples);
}

/** By name of the column. */
function rowsOf(history: History): Record<string, string>[] {
  const [head = '', ...rows] = [...history.lines()].map((line) => line.trimEnd());
  const names = head.split(',');
  return rows.map((row) => Object.fromEntries(row.split(',').map((value, i) => [names[i]!, value])));
}

describe('figures over time', () => {
  it('are what was told at each sample', async () => {
    let jobs = [job('one', 5)];
    const history = historyOf(() => jobs);
    history.saw();
    await history.sample();
    jobs = [job('two', 6)];
    history.saw();
    await history.sample();
    const [first, second, ...more] = rowsOf(history);
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      exports: '3',
      exports_running: '5',
      exports_waiting: '5',
      spool_bytes: '9',
      downloads: '2',
      requests: '1',
      connections: '8',
    });
    expect(Number(first!['rss_bytes'])).toBeGreaterThan(1e7);
    expect(Math.abs(Date.parse(first!['time']!) - Date.now())).toBeLessThan(5000);
    expect(first).toMatchObject({ 'one packets': '6', 'one bytes': '', 'one lost': '6', 'one buffer_bytes': '7', 'two packets': '' });
    expect(second).toMatchObject({ requests: '2', 'one packets': '', 'two packets': '7' });
  });

  it('are the newest, of as many jobs as have room', async () => {
    let jobs = Array.from({ length: 80 }, (_, i) => job(`j${i}`, i));
    const history = historyOf(() => jobs, 3);
    for (let i = 0; i < 5; i++) {
      history.saw();
      await history.sample();
    }
    let rows = rowsOf(history);
    expect(rows.map(({ requests }) => requests)).toEqual(['3', '4', '5']);
    expect(rows[0]).toHaveProperty('j63 packets');
    expect(rows[0]).not.toHaveProperty('j64 packets');
    // What is gone makes room.
    jobs = [job('new', 1)];
    await history.sample();
    rows = rowsOf(history);
    expect(rows.map((row) => row['new packets'])).toEqual(['', '', '2']);
  });

  it('are taken by themselves until the end', async () => {
    let looks = 0;
    const history = historyOf(() => ((looks += 1), []));
    history.start(5);
    while (looks < 3) await sleep(1);
    history.close();
    const before = looks;
    await sleep(30);
    expect(looks).toBe(before);
    expect(rowsOf(history).length).toBeGreaterThanOrEqual(2);
  });

  it('survive a look that fails', async () => {
    const history = historyOf(() => {
      throw new Error('no');
    });
    await expect(history.sample()).rejects.toThrow('no');
    expect(rowsOf(history)).toEqual([]);
  });
});

describe('the newest lines of the log', () => {
  it.each([
    ['by number', 3, 1000, ['a', 'b', 'c', 'd', 'e'], ['c', 'd', 'e']],
    ['by characters', 10, 5, ['aaa', 'bbb', 'cc'], ['bbb', 'cc']],
    ['not of one that is too long', 10, 5, ['a', 'bbbbbbbbb'], []],
    ['many', 2, 1000, Array.from({ length: 101 }, (_, i) => String(i)), ['99', '100']],
  ])('are bounded %s', (_, lines, characters, given, kept) => {
    const ring = new LogRing(lines, characters);
    for (const line of given) ring.add(line);
    expect(ring.lines()).toEqual(kept);
  });

  it.each([
    ['silent', [], 'info'],
    ['error', ['50'], 'info'],
    ['warn', ['40', '50'], 'info'],
    ['info', ['30', '40', '50'], 'info'],
    ['debug', ['20', '30', '40', '50'], 'debug'],
  ] as const)('are kept from info on where stderr has %s', (level, expected, own) => {
    const ring = new LogRing();
    const written: string[] = [];
    const logger = loggerOf(level, ring, { write: (line: string) => written.push(line) > 0 }) as {
      level: string;
      stream: { write(line: string): void };
    };
    expect(logger.level).toBe(own);
    for (const each of [20, 30, 40, 50]) logger.stream.write(`{"level":${each},"msg":"x"}\n`);
    expect(written.map((line) => line.slice(9, 11))).toEqual(expected);
    expect(ring.lines()).toHaveLength(4);
  });
});
