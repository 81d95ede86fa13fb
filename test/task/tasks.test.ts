/** Tasks: turns, progress, ends of every sort, and what a restart makes of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import type { Ended, Task, TaskKind, Work } from '../../src/task/task.js';
import { openRoom } from './harness.js';

type Toy = TaskKind<{ n: number }, { secret: string }, { sum: number }>;
type Run = (work: Work<{ n: number }, { secret: string }>) => Promise<Ended<{ sum: number }>>;

const SECRET = 'correct horse battery staple';
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error;

function toy(run: Run, limits: Partial<Toy> = {}): Toy {
  return {
    name: 'toy',
    isCancellable: true,
    runningAtOnce: 1,
    activeAtOnce: 3,
    runMs: 60_000,
    keptMs: 60_000,
    artifactsKeptMs: 60_000,
    run,
    ...limits,
  };
}
const done: Run = async ({ input }) => ({ state: 'done', result: { sum: input.n } });
/** Runs until it is told to end. */
const until: Run = ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

async function one(kind: Toy): Promise<{ room: Awaited<ReturnType<typeof openRoom>>; task: Task }> {
  const room = await openRoom([kind]);
  return { room, task: room.tasks.create(kind, 'ann', { n: 1 }, { secret: SECRET }) };
}

describe('a task', () => {
  it('runs, tells how far it is, and ends with its result', async () => {
    const seen: [number, string][] = [];
    const kind = toy(async ({ progress, secrets }) => {
      for (const percent of [10, 40, 30, 120]) {
        progress(percent, `at ${percent}`);
        seen.push([task.progress, task.step]);
      }
      return { state: 'done', result: { sum: secrets.secret.length } };
    });
    const room = await openRoom([kind]);
    const task = room.tasks.create(kind, 'ann', { n: 1 }, { secret: SECRET });
    expect(task).toMatchObject({ kind: 'toy', owner: 'ann', input: { n: 1 }, state: 'running', result: null, error: null });
    expect(await room.tasks.ended(task.id)).toMatchObject({ state: 'done', progress: 100, result: { sum: SECRET.length } });
    expect(seen).toEqual([
      [10, 'at 10'],
      [40, 'at 40'],
      [40, 'at 30'],
      [99, 'at 120'],
    ]);
    expect(room.tasks.find(task.id)).toBe(task);
    expect(room.tasks.list('toy')).toEqual([task]);
    expect(room.tasks.list('other')).toEqual([]);
  });

  it('waits for its turn, in order, and more than may wait are refused', async () => {
    const begun: number[] = [];
    const runs = new Map<number, () => void>();
    const kind = toy(({ input: { n } }) => {
      begun.push(n);
      return new Promise((resolve) => runs.set(n, () => resolve({ state: 'done', result: { sum: n } })));
    });
    const room = await openRoom([kind]);
    const made = [1, 2, 3].map((n) => room.tasks.create(kind, 'ann', { n }, { secret: '' }));
    expect(made.map(({ state }) => state)).toEqual(['running', 'pending', 'pending']);
    expect(() => room.tasks.create(kind, 'ann', { n: 4 }, { secret: '' })).toThrow(code('TOO_MANY_TASKS'));
    for (const { id, input } of made) {
      await expect.poll(() => runs.has(input.n)).toBe(true);
      expect(begun).toEqual([1, 2, 3].slice(0, input.n));
      runs.get(input.n)!();
      await room.tasks.ended(id);
    }
    room.tasks.create(kind, 'ann', { n: 4 }, { secret: '' });
    await expect.poll(() => runs.has(4)).toBe(true);
    runs.get(4)!();
  });

  it.each<[string, Run, object]>([
    ['partly', async () => ({ state: 'partial', result: { sum: 1 } }), { state: 'partial', progress: 100, result: { sum: 1 }, error: null }],
    [
      'with nothing, and says of what',
      async () => ({ state: 'failed', result: { sum: 0 }, error: { code: 'FILE_FAILED', message: 'no' } }),
      { state: 'failed', result: { sum: 0 }, error: { code: 'FILE_FAILED', message: 'no' } },
    ],
    [
      'by throwing',
      async () => Promise.reject(new SpillwayError('DISK_FULL', 'there is no space')),
      { state: 'failed', result: null, error: { code: 'DISK_FULL', message: 'there is no space' } },
    ],
    ['by a defect', async () => Promise.reject(new Error('oops')), { state: 'failed', error: { code: 'INTERNAL', message: 'oops' } }],
  ])('may end %s', async (_, run, end) => {
    const { room, task } = await one(toy(run));
    expect(await room.tasks.ended(task.id)).toMatchObject(end);
    expect(room.reports).toHaveLength(task.error?.code === 'INTERNAL' ? 1 : 0);
  });

  it('ends where it takes too long', async () => {
    const { room, task } = await one(toy(until, { runMs: 20 }));
    expect(await room.tasks.ended(task.id)).toMatchObject({ state: 'failed', error: { code: 'TASK_TIMEOUT' } });
  });

  it('that does not listen is over all the same, and leaves no file behind', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const kind = toy(
      ({ artifact, signal }) => {
        const run = async (): Promise<Ended<{ sum: number }>> => {
          const sink = await artifact('a.zip', {});
          while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
          await new Promise((resolve) => setTimeout(resolve, 50));
          await sink.finish().catch(() => sink.abort());
          return { state: 'done', result: { sum: 1 } };
        };
        return (late = run());
      },
      { runMs: 20, graceMs: 10 },
    );
    const { room, task } = await one(kind);
    expect(await room.tasks.ended(task.id)).toMatchObject({ state: 'failed', error: { code: 'TASK_TIMEOUT' } });
    await late;
    expect(task).toMatchObject({ state: 'failed', result: null });
    expect(room.artifacts.list()).toEqual([]);
    expect(readdirSync(join(room.folder, 'packages'))).toEqual([]);
  });

  it('whose file is larger than its kind allows fails', async () => {
    const kind = toy(
      async ({ artifact, input }) => {
        const sink = await artifact('a.zip', {});
        await sink.write(Buffer.alloc(5 * input.n)).catch((error: unknown) => sink.abort().then(() => Promise.reject(error as Error)));
        await sink.finish();
        return { state: 'done', result: { sum: 1 } };
      },
      { artifactBytes: 5 },
    );
    const { room, task } = await one(kind);
    expect((await room.tasks.ended(task.id)).state).toBe('done');
    const { id } = room.tasks.create(kind, 'ann', { n: 2 }, { secret: '' });
    expect(await room.tasks.ended(id)).toMatchObject({ state: 'failed', error: { code: 'TASK_QUOTA' } });
  });

  it('is cancelled while it runs, while it waits, and no more when it has ended', async () => {
    const kind = toy(until);
    const { room, task } = await one(kind);
    const waiting = room.tasks.create(kind, 'ann', { n: 2 }, { secret: '' });
    room.tasks.cancel(waiting.id);
    expect(waiting.state).toBe('cancelled');
    room.tasks.cancel(task.id);
    expect(task.state).toBe('cancelling');
    expect(() => room.tasks.cancel(task.id)).toThrow(code('TASK_STATE'));
    expect(await room.tasks.ended(task.id)).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
    expect(() => room.tasks.cancel(task.id)).toThrow(code('TASK_STATE'));
    expect(() => room.tasks.cancel('0'.repeat(24))).toThrow(code('TASK_NOT_FOUND'));
  });

  it('that came to its end before it saw the cancel has its result', async () => {
    const kind = toy(
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({ state: 'done', result: { sum: 7 } }))),
    );
    const { room, task } = await one(kind);
    room.tasks.cancel(task.id);
    expect(await room.tasks.ended(task.id)).toMatchObject({ state: 'done', result: { sum: 7 } });
  });

  it('of a kind that can not be cancelled goes on', async () => {
    const { room, task } = await one(toy(until, { isCancellable: false }));
    expect(() => room.tasks.cancel(task.id)).toThrow(code('TASK_STATE'));
    expect(task.state).toBe('running');
    await expect(room.tasks.remove(task.id, { withArtifacts: true })).rejects.toThrow(code('TASK_STATE'));
  });

  it('is forgotten when its time is over, or when it is removed', async () => {
    const clocks = { now: 0, steadyMs: () => clocks.now, wallMs: () => Date.now() + clocks.now };
    const kind = toy(done);
    const room = await openRoom([kind], undefined, { clocks });
    const [first, second] = [1, 2].map((n) => room.tasks.create(kind, 'ann', { n }, { secret: '' }));
    await room.tasks.ended(second!.id);
    await room.tasks.remove(first!.id, { withArtifacts: false });
    expect(room.tasks.list()).toEqual([second]);
    clocks.now = 61_000;
    room.tasks.look();
    expect(room.tasks.list()).toEqual([]);
    await room.close();
    expect((await openRoom([kind], room.folder)).tasks.list()).toEqual([]);
  });

  it('takes its artifacts along where it is told to', async () => {
    const kind = toy(async ({ artifact }) => {
      const sink = await artifact('a.zip', {});
      await sink.finish();
      return { state: 'done', result: { sum: 1 } };
    });
    const room = await openRoom([kind]);
    for (const withArtifacts of [false, true]) {
      const { id } = room.tasks.create(kind, 'ann', { n: 1 }, { secret: '' });
      await room.tasks.ended(id);
      await room.tasks.remove(id, { withArtifacts });
    }
    expect(room.artifacts.list()).toHaveLength(1);
  });
});

describe('a restart', () => {
  it('finds what ended, and fails what ran or waited, saying why', async () => {
    const release: (() => void)[] = [];
    const kind = toy((work) => (work.input.n === 1 ? done(work) : new Promise((_, reject) => release.push(() => reject(new Error('killed'))))));
    const before = await openRoom([kind]);
    const first = before.tasks.create(kind, 'ann', { n: 1 }, { secret: SECRET });
    await before.tasks.ended(first.id);
    const running = before.tasks.create(kind, 'ann', { n: 2 }, { secret: SECRET });
    const waiting = before.tasks.create(kind, 'bob', { n: 3 }, { secret: SECRET });
    before.drop();
    const after = await openRoom([kind], before.folder);
    expect(after.tasks.find(first.id)).toMatchObject({ state: 'done', result: { sum: 1 }, progress: 100 });
    expect(after.tasks.find(running.id)).toMatchObject({ state: 'failed', owner: 'ann', error: { code: 'INTERRUPTED' } });
    expect(after.tasks.find(waiting.id)).toMatchObject({ state: 'failed', owner: 'bob', error: { code: 'INTERRUPTED' } });
    await after.close();
    const again = await openRoom([kind], before.folder);
    expect(again.tasks.find(running.id)).toMatchObject({ state: 'failed', error: { code: 'INTERRUPTED' } });
    release.forEach((end) => end());
  });

  it.each(['killed', 'asked for'])('that is %s lets a kind that outlives the server go on, without its secrets', async (how) => {
    const seen: string[] = [];
    const kind = toy(
      ({ secrets, signal, input, before, note }) => {
        seen.push(`${input.n} ${JSON.stringify(secrets)} ${JSON.stringify(before)}`);
        note({ sum: 100 });
        if (secrets === null) return Promise.resolve({ state: 'done', result: { sum: input.n } });
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      },
      { outlivesServer: true, runningAtOnce: 1 },
    );
    const before = await openRoom([kind]);
    const tasks = [1, 2].map((n) => before.tasks.create(kind, 'ann', { n }, { secret: SECRET }));
    await new Promise((resolve) => setImmediate(resolve));
    if (how === 'killed') before.drop();
    else await before.close();
    const after = await openRoom([kind], before.folder);
    expect(tasks.map(({ id }) => after.tasks.find(id)?.state)).toEqual(['pending', 'pending']);
    after.tasks.resume();
    for (const { id, input } of tasks) expect(await after.tasks.ended(id)).toMatchObject({ state: 'done', result: { sum: input.n } });
    expect(seen).toEqual([`1 ${JSON.stringify({ secret: SECRET })} null`, '1 null {"sum":100}', '2 null null']);
  });

  it('finds tasks in the order in which they were made, whatever the clock said', async () => {
    const kind = toy(done);
    const room = await openRoom([kind]);
    vi.useFakeTimers({ toFake: ['Date'], now: 2_000_000_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    const ids: string[] = [];
    for (const now of [2_000_000_000_000, 1_000_000_000_000, 1_500_000_000_000]) {
      vi.setSystemTime(now);
      const { id } = room.tasks.create(kind, 'ann', { n: 1 }, { secret: SECRET });
      await room.tasks.ended(id);
      ids.push(id);
    }
    await room.close();
    expect((await openRoom([kind], room.folder)).tasks.list().map(({ id }) => id)).toEqual(ids);
  });

  it('that is asked for ends what runs first', async () => {
    let wasTold: unknown;
    const kind = toy(({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject((wasTold = signal.reason)))));
    const { room, task } = await one(kind);
    await room.close();
    expect(wasTold).toMatchObject({ code: 'INTERRUPTED' });
    expect(task).toMatchObject({ state: 'failed', error: { code: 'INTERRUPTED' } });
    expect((await openRoom([kind], room.folder)).tasks.find(task.id)).toMatchObject({ state: 'failed', error: { code: 'INTERRUPTED' } });
  });

  it('finds no secret of any task', async () => {
    const { room } = await one(toy(until));
    const files = readdirSync(room.folder).filter((name) => name !== 'packages');
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) expect(readFileSync(join(room.folder, name)).includes(SECRET)).toBe(false);
  });

  it('forgets tasks of a kind that is no more', async () => {
    const kind = toy(done);
    const { room, task } = await one(kind);
    await room.tasks.ended(task.id);
    await room.close();
    expect((await openRoom([], room.folder)).tasks.list()).toEqual([]);
  });
});
