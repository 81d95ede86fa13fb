/** Update jobs: drafted, allowed, deployed, carried out over members on loopback, and ended. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import type { UpdateJob } from '../../src/update/job.js';
import { PEER_LIMITS } from '../../src/peer/limits.js';
import { JOB_LIMITS } from '../../src/update/limits.js';
import { makeCertificate, type TestPair } from '../peer/certificates.js';
import { FakeMember, failing, GOOD, type Script } from './fake-member.js';
import { FILE_NAME, JobsRoom, PACKAGE } from './jobs-room.js';

let pair: TestPair;
beforeAll(async () => {
  pair = await makeCertificate();
});
const members: FakeMember[] = [];
afterEach(async () => {
  for (const member of members.splice(0)) await member.down();
});

const BAD: Script = { moments: failing('download', 'DOWNLOAD_FAILED') };
const WELL: Script = { moments: GOOD };

/** Members that `room` knows, in the order of their scripts, and who began and ended when. */
async function start(room: JobsRoom, scripts: readonly Script[]): Promise<{ addresses: string[]; fakes: FakeMember[]; log: string[] }> {
  const log: string[] = [];
  const fakes = await Promise.all(scripts.map((script, i) => FakeMember.start(pair, script, (_, what) => void log.push(`${i} ${what}`))));
  members.push(...fakes);
  for (const { address } of fakes) room.meet(address, pair);
  return { addresses: fakes.map(({ address }) => address), fakes, log };
}

const refusal = (code: ErrorCode): Error => expect.objectContaining({ code }) as Error;
const progressOf = (job: UpdateJob): string[] => job.members.map(({ progress }) => progress);
/** How many were being updated at once, at most. */
function mostAtOnce(log: readonly string[]): number {
  let [now, most] = [0, 0];
  for (const line of log) most = Math.max(most, (now += line.endsWith('begun') ? 1 : -1));
  return most;
}

describe('an update job', () => {
  it('is a draft, waits for approval, is allowed, and only then deployed', async () => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, [WELL]);
    const { jobs } = room;
    const job = room.draft(addresses);
    expect(job).toMatchObject({ state: 'DRAFT', type: 'NOT_SET', package: PACKAGE.id, version: '0.2.0', fileName: FILE_NAME, createdBy: 'ann' });
    const now = { type: 'NOW' } as const;
    expect(() => jobs.deploy(job.id, now, 'ann')).toThrow(refusal('UPDATE_JOB_STATE'));
    expect(jobs.approve(job.id, 'ann', false)).toMatchObject({ state: 'PENDING_APPROVAL', approvedBy: null });
    expect(() => jobs.approve(job.id, 'ann', false)).toThrow(refusal('UPDATE_JOB_STATE'));
    expect(() => jobs.deploy(job.id, now, 'ann')).toThrow(refusal('UPDATE_JOB_STATE'));
    expect(jobs.approve(job.id, 'root', true)).toMatchObject({ state: 'APPROVED', approvedBy: 'root' });
    expect(() => jobs.approve(job.id, 'root', true)).toThrow(refusal('UPDATE_JOB_STATE'));
    const before = Date.now();
    expect(jobs.deploy(job.id, now, 'bob')).toMatchObject({ state: 'IN_PROGRESS', type: 'NOW', deployedBy: 'bob', endMs: null });
    expect(room.packages.pins.get(PACKAGE.id)).toBe(1);
    expect(() => jobs.deploy(job.id, now, 'ann')).toThrow(refusal('UPDATE_JOB_STATE'));
    const { state, startMs, endMs } = await room.ended(job);
    expect(state).toBe('DONE');
    expect(startMs!).toBeGreaterThanOrEqual(before);
    expect(endMs!).toBeGreaterThanOrEqual(startMs!);
    expect(room.packages.pins.get(PACKAGE.id)).toBe(0);
    expect(room.tasks.list('update-job')).toMatchObject([
      { state: 'done', progress: 100, owner: 'bob', result: { updated: 1, failed: 0, notBegun: 0 } },
    ]);
    expect(() => jobs.deploy(job.id, now, 'ann')).toThrow(refusal('UPDATE_JOB_STATE'));
    expect(jobs.remove(job.id)).toBe('removed');
    expect(() => jobs.get(job.id)).toThrow(refusal('UPDATE_JOB_NOT_FOUND'));
  });

  it.each([
    ['of a version that is not there', { version: '9.9.9' }, 'PACKAGE_NOT_FOUND'],
    ['of a file that is not there', { fileName: 'x.tar.gz' }, 'PACKAGE_NOT_FOUND'],
    ['whose version and file do not agree', { version: '9.9.9', fileName: PACKAGE.id }, 'PACKAGE_NOT_FOUND'],
    ['of no package', { version: null }, 'REQUEST_INVALID'],
    ['with an image server that is no peer', { imageServer: '192.0.2.1' }, 'PEER_NOT_FOUND'],
  ] as const)('%s is refused', async (_, more, code) => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, [WELL]);
    expect(() => room.draft(addresses, more)).toThrow(refusal(code));
    expect(room.jobs.list()).toEqual([]);
  });

  it('names its package by version, by file, or by id; and where two are meant it is refused', async () => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, [WELL]);
    room.packages.all.push({ ...PACKAGE, id: 'ef'.repeat(12), architecture: 'arm64' });
    expect(() => room.draft(addresses)).toThrow(refusal('REQUEST_INVALID'));
    expect(room.draft(addresses, { fileName: FILE_NAME }).package).toBe(PACKAGE.id);
    const id = 'ef'.repeat(12);
    expect(room.draft(addresses, { fileName: id, version: null })).toMatchObject({
      package: id,
      fileName: `spillway-0.2.0-linux-arm64-${id}.tar.gz`,
    });
  });

  it('names members that are peers, each once, or all of them', async () => {
    const room = await JobsRoom.open();
    expect(() => room.draft('all')).toThrow(refusal('REQUEST_INVALID'));
    const { addresses } = await start(room, [WELL, WELL]);
    expect(() => room.draft(['192.0.2.1'])).toThrow(refusal('PEER_NOT_FOUND'));
    expect(() => room.draft([addresses[0]!, addresses[0]!])).toThrow(refusal('REQUEST_INVALID'));
    expect(room.draft('all')).toMatchObject({ isForAll: true });
    expect(
      room
        .draft('all')
        .members.map(({ address }) => address)
        .sort(),
    ).toEqual([...addresses].sort());
  });

  it.each([
    ['DONE', [WELL, WELL], 'done'],
    ['PARTIAL_SUCCESS', [BAD, WELL, BAD], 'partial'],
    ['FAILED', [BAD, BAD], 'failed'],
  ] as const)('ends as %s', async (state, scripts, taskState) => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, scripts);
    const job = await room.ended(room.begin(addresses));
    expect(job.state).toBe(state);
    expect(progressOf(job)).toEqual(scripts.map((script) => (script === WELL ? 'SUCCESS' : 'FAILED')));
    expect(room.tasks.list()[0]!.state).toBe(taskState);
  });

  it('lets its members download from an image server', async () => {
    const room = await JobsRoom.open({ own: { isSecure: false } });
    const { addresses, fakes } = await start(room, [WELL]);
    room.meet('192.0.2.1', pair);
    await room.ended(room.begin(addresses, { imageServer: '192.0.2.1:8470' }));
    expect(fakes[0]!.wishes[0]!.url).toBe(`https://192.0.2.1:8470/api/spillway.update/1.0/packages/items/${PACKAGE.id}/file`);
  });

  it('lets its members download from the address that they see this probe at', async () => {
    const room = await JobsRoom.open({ own: { bound: null, port: () => 9443 } });
    const { addresses, fakes } = await start(room, [WELL]);
    await room.ended(room.begin(addresses));
    expect(new URL(fakes[0]!.wishes[0]!.url).host).toBe('127.0.0.1:9443');
  });

  it('is not deployed where members could not download', async () => {
    const room = await JobsRoom.open({ own: { isSecure: false } });
    const { addresses } = await start(room, [WELL]);
    const job = room.allowed(addresses);
    for (const how of [{ type: 'NOW' }, { type: 'SCHEDULED', scheduledMs: Date.now() + 60_000 }] as const)
      expect(() => room.jobs.deploy(job.id, how, 'ann')).toThrow(refusal('UPDATE_URL'));
    room.packages.all.pop();
    expect(() => room.jobs.deploy(job.id, { type: 'NOW' }, 'ann')).toThrow(refusal('PACKAGE_NOT_FOUND'));
    expect([job.state, room.packages.pins.size, room.tasks.list()]).toEqual(['APPROVED', 0, []]);
  });

  it('is not deployed while another one updates a member of it', async () => {
    const room = await JobsRoom.open();
    const { addresses, fakes } = await start(room, [{ moments: [GOOD[0]!] }, WELL]);
    const first = room.begin(addresses.slice(0, 1));
    const second = room.allowed(addresses);
    expect(() => room.jobs.deploy(second.id, { type: 'NOW' }, 'ann')).toThrow(refusal('TASK_RUNNING'));
    expect(second.state).toBe('APPROVED');
    expect((await room.ended(room.begin(addresses.slice(1)))).state).toBe('DONE');
    fakes[0]!.script = WELL;
    await room.ended(first);
    expect((await room.ended(room.jobs.deploy(second.id, { type: 'NOW' }, 'ann'))).state).toBe('DONE');
  });

  it('that is told to end begins no other member, and follows those that it has begun', async () => {
    const room = await JobsRoom.open();
    const { addresses, fakes, log } = await start(room, [{ moments: [GOOD[0]!] }, WELL, WELL]);
    const job = room.begin(addresses, { limits: { maxConcurrent: 1 } });
    await expect.poll(() => job.members[0]!.progress, { timeout: 20_000 }).toBe('DOWNLOAD_IN_PROGRESS');
    expect(room.jobs.remove(job.id)).toBe('stopped');
    expect(room.jobs.find(job.id)).toBe(job);
    fakes[0]!.script = WELL;
    expect((await room.ended(job)).state).toBe('PARTIAL_SUCCESS');
    expect(progressOf(job)).toEqual(['SUCCESS', 'NOT_SET', 'NOT_SET']);
    expect(log).toEqual(['0 begun', '0 over']);
  });

  it('goes on without a member that is no peer any more', async () => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, [WELL, WELL]);
    const job = room.allowed(addresses);
    room.peers.remove(addresses[0]!, { who: 'ann', address: 'local' });
    room.jobs.deploy(job.id, { type: 'NOW' }, 'ann');
    expect(progressOf(await room.ended(job))).toEqual(['SWITCH_UNREACHABLE', 'SUCCESS']);
  });

  it('gives way when there are too many, once it has ended', async () => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, [WELL]);
    const ended = await room.ended(room.begin(addresses));
    for (let i = 1; i < JOB_LIMITS.jobs; i++) room.draft(addresses);
    expect(room.jobs.find(ended.id)).not.toBeNull();
    room.draft(addresses);
    expect(room.jobs.find(ended.id)).toBeNull();
    expect(() => room.draft(addresses)).toThrow(refusal('TOO_MANY_TASKS'));
  });
});

describe('many members', () => {
  it('have room made for them by jobs that have ended, or are refused', async () => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, [WELL]);
    const first = await room.ended(room.begin(addresses));
    const second = await room.ended(room.begin(addresses));
    for (let i = 1; i < PEER_LIMITS.peers; i++) room.meet(`192.0.2.1:${i}`, pair);
    const drafts = Math.floor((JOB_LIMITS.members - 1) / PEER_LIMITS.peers);
    for (let i = 0; i < drafts; i++) room.draft('all');
    // Those that have ended would not do: they stay.
    expect(() => room.draft('all')).toThrow(refusal('TOO_MANY_TASKS'));
    const left = JOB_LIMITS.members - 1 - drafts * PEER_LIMITS.peers;
    const others = room.peers.list().map(({ address }) => address);
    room.draft(others.slice(0, left));
    expect([room.jobs.find(first.id), room.jobs.find(second.id)]).toEqual([null, second]);
  });
});

describe('the limits of a job', () => {
  it.each([1, 2, 5])('update no more than %s at once, and as many as that', async (maxConcurrent) => {
    const room = await JobsRoom.open();
    const { addresses, log } = await start(
      room,
      Array.from({ length: 6 }, () => WELL),
    );
    expect((await room.ended(room.begin(addresses, { limits: { maxConcurrent } }))).state).toBe('DONE');
    expect(mostAtOnce(log)).toBe(maxConcurrent);
  });

  it('update a canary alone, and the others if it succeeds', async () => {
    const room = await JobsRoom.open();
    const { addresses, log } = await start(room, [WELL, WELL, WELL]);
    expect((await room.ended(room.begin(addresses, { limits: { canary: true } }))).state).toBe('DONE');
    expect(log.slice(0, 2)).toEqual(['0 begun', '0 over']);
    expect(log.slice(2, 4)).toEqual(expect.arrayContaining(['1 begun', '2 begun']));
  });

  it('update no other where the canary fails', async () => {
    const room = await JobsRoom.open();
    const { addresses, log } = await start(room, [BAD, WELL, WELL]);
    const job = await room.ended(room.begin(addresses, { limits: { canary: true } }));
    expect([job.state, progressOf(job), log]).toEqual(['FAILED', ['FAILED', 'NOT_SET', 'NOT_SET'], ['0 begun', '0 over']]);
  });

  it.each([
    [1, ['FAILED', 'NOT_SET', 'NOT_SET', 'NOT_SET', 'NOT_SET']],
    [2, ['FAILED', 'SUCCESS', 'FAILED', 'NOT_SET', 'NOT_SET']],
    [null, ['FAILED', 'SUCCESS', 'FAILED', 'SUCCESS', 'FAILED']],
  ])('begin no other after %s failures', async (stopAfterFailures, ends) => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, [BAD, WELL, BAD, WELL, BAD]);
    expect(progressOf(await room.ended(room.begin(addresses, { limits: { maxConcurrent: 1, stopAfterFailures } })))).toEqual(ends);
  });
});
