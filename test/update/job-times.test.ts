/** Jobs that wait for their time, by a clock that anybody may set. */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import type { UpdateJob } from '../../src/update/job.js';
import { JOB_LIMITS } from '../../src/update/limits.js';
import { makeCertificate, type TestPair } from '../peer/certificates.js';
import { FakeMember, GOOD } from './fake-member.js';
import { JobsRoom, PACKAGE } from './jobs-room.js';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 1);

let pair: TestPair;
let fake: FakeMember;
let room: JobsRoom;
let now = START_MS;
const wallMs = (): number => now;

beforeAll(async () => {
  pair = await makeCertificate();
});
beforeEach(async () => {
  now = START_MS;
  fake = await FakeMember.start(pair, { moments: GOOD });
  room = await JobsRoom.open({ wallMs });
  room.meet(fake.address, pair);
});
afterEach(() => fake.down());

function scheduled(minutes: number): UpdateJob {
  const { id } = room.allowed([fake.address]);
  return room.jobs.deploy(id, { type: 'SCHEDULED', scheduledMs: START_MS + minutes * MINUTE_MS }, 'ann');
}

const lookAt = (minutes: number): void => {
  now = START_MS + minutes * MINUTE_MS;
  room.jobs.look();
};

describe('a job that was scheduled', () => {
  it('begins at its time, once', async () => {
    const job = scheduled(10);
    expect([job.state, job.type, room.packages.pins.get(PACKAGE.id)]).toEqual(['SCHEDULED', 'SCHEDULED', 1]);
    lookAt(9.99);
    expect(job).toMatchObject({ state: 'SCHEDULED', startMs: null });
    lookAt(10);
    expect(job).toMatchObject({ state: 'IN_PROGRESS', startMs: now });
    room.jobs.look();
    expect((await room.ended(job)).state).toBe('DONE');
    lookAt(20);
    expect([fake.wishes.length, room.packages.pins.get(PACKAGE.id)]).toEqual([1, 0]);
  });

  it('begins by itself', async () => {
    await room.close();
    room = await JobsRoom.open();
    room.meet(fake.address, pair);
    const { id } = room.allowed([fake.address]);
    const job = room.jobs.deploy(id, { type: 'SCHEDULED', scheduledMs: Date.now() + 100 }, 'ann');
    await expect.poll(() => job.state, { timeout: 20_000 }).toBe('DONE');
    expect(job.startMs!).toBeGreaterThanOrEqual(job.scheduledMs!);
  });

  it('begins when the clock jumps past its time, and not again when it is set back', async () => {
    const job = scheduled(10);
    lookAt(10 + 59);
    await room.ended(job);
    lookAt(5);
    lookAt(11);
    expect([job.state, fake.wishes.length]).toEqual(['DONE', 1]);
  });

  it('waits longer when the clock is set back', () => {
    const job = scheduled(10);
    lookAt(-500);
    lookAt(9);
    expect(job.state).toBe('SCHEDULED');
  });

  it('ends no sooner than it begins, though the clock is set back meanwhile', async () => {
    const job = scheduled(10);
    lookAt(10);
    now = START_MS;
    await room.ended(job);
    expect(job.endMs!).toBeGreaterThanOrEqual(job.startMs!);
  });

  it('has failed when it could not begin within an hour', () => {
    const job = scheduled(10);
    lookAt(10 + 61);
    expect(job).toMatchObject({ state: 'FAILED', startMs: null, endMs: now, detail: expect.stringContaining('within an hour') as string });
    expect(job.members[0]).toMatchObject({ progress: 'NOT_SET', error: 'NOT_SET' });
    expect([fake.wishes.length, room.packages.pins.get(PACKAGE.id)]).toEqual([0, 0]);
  });

  it.each([
    [30, 'DONE'],
    [61, 'FAILED'],
  ])('begins when the probe is back, unless that is too late (%s minutes)', async (minutes, state) => {
    const { id } = scheduled(10);
    await room.close();
    now = START_MS + (10 + minutes) * MINUTE_MS;
    room = await JobsRoom.open({ folder: room.folder, wallMs });
    expect(room.packages.pins.get(PACKAGE.id)).toBe(1);
    room.resume();
    const job = await room.ended(room.jobs.get(id));
    expect([job.state, fake.wishes.length]).toEqual([state, state === 'DONE' ? 1 : 0]);
  });

  it('waits for another one that updates a member of it, for an hour at most', async () => {
    fake.script = { moments: [GOOD[0]!] };
    const running = room.begin([fake.address]);
    const [soon, late] = [scheduled(10), scheduled(1)];
    lookAt(10);
    expect(soon).toMatchObject({ state: 'SCHEDULED', detail: expect.stringContaining(running.id) as string });
    lookAt(62);
    expect(late).toMatchObject({ state: 'FAILED', detail: expect.stringContaining(running.id) as string });
    expect(soon.state).toBe('SCHEDULED');
    fake.script = { moments: GOOD };
    await room.ended(running);
    lookAt(63);
    expect(await room.ended(soon)).toMatchObject({ state: 'DONE', detail: '' });
  });

  it('fails at its time where members could not download any more', () => {
    const job = scheduled(10);
    room.packages.all.pop();
    lookAt(10);
    expect(job).toMatchObject({ state: 'FAILED', endMs: now, detail: expect.stringContaining('repository') as string });
  });

  it('is removed before its time', () => {
    const job = scheduled(10);
    expect(room.jobs.remove(job.id)).toBe('removed');
    lookAt(10);
    expect([fake.wishes.length, room.tasks.list(), room.packages.pins.get(PACKAGE.id)]).toEqual([0, [], 0]);
  });

  it.each([
    ['in the past', -1],
    ['now', 0],
    ['in milliseconds for seconds', (JOB_LIMITS.scheduleMs + 1) / MINUTE_MS],
  ])('is refused for a time that is %s', (_, minutes) => {
    expect(() => scheduled(minutes)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' satisfies ErrorCode }) as Error);
    expect(room.jobs.list().map(({ state }) => state)).toEqual(['APPROVED']);
  });
});
