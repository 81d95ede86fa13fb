/** Jobs of a probe whose database refuses what is to be written, as it does while the disk is full. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SpillwayError } from '../../src/errors.js';
import type { UpdateJob } from '../../src/update/job.js';
import { makeCertificate, type TestPair } from '../peer/certificates.js';
import { FakeMember, GOOD } from './fake-member.js';
import { JobsRoom, PACKAGE } from './jobs-room.js';

let pair: TestPair;
beforeAll(async () => {
  pair = await makeCertificate();
});
const members: FakeMember[] = [];
afterEach(async () => {
  for (const member of members.splice(0)) await member.down();
});

const NOW = { type: 'NOW' } as const;
const refusal = expect.objectContaining({ code: 'NOT_READY' }) as SpillwayError;
const progressOf = (job: UpdateJob): string[] => job.members.map(({ progress }) => progress);

async function start(room: JobsRoom, count: number): Promise<{ addresses: string[]; fakes: FakeMember[] }> {
  const fakes = await Promise.all(Array.from({ length: count }, () => FakeMember.start(pair, { moments: [GOOD[0]!] })));
  members.push(...fakes);
  for (const { address } of fakes) room.meet(address, pair);
  return { addresses: fakes.map(({ address }) => address), fakes };
}

/** Holds the job at its first member. */
async function begunIn(room: JobsRoom, addresses: readonly string[]): Promise<UpdateJob> {
  const job = room.begin(addresses, { limits: { maxConcurrent: 1 } });
  await expect.poll(() => progressOf(job)[0], { timeout: 20_000 }).toBe('DOWNLOAD_IN_PROGRESS');
  return job;
}

describe('what can not be written down', () => {
  it('is refused, and has not happened', async () => {
    const room = await JobsRoom.open();
    const { jobs } = room;
    const { addresses, fakes } = await start(room, 2);
    const [one, other] = [addresses.slice(0, 1), addresses.slice(1)];
    const running = await begunIn(room, one);
    const later = { type: 'SCHEDULED', scheduledMs: Date.now() + 3_000_000 } as const;
    const [draft, allowed, planned] = [room.draft(other), room.allowed(other), jobs.deploy(room.allowed(other).id, later, 'ann')];
    const before = structuredClone([running, draft, allowed, planned]);
    room.refuseWrites(true);
    for (const work of [
      () => room.draft(other),
      () => jobs.approve(draft.id, 'root', true),
      () => jobs.deploy(allowed.id, NOW, 'ann'),
      () => jobs.deploy(allowed.id, later, 'ann'),
      () => jobs.remove(planned.id),
      () => jobs.remove(running.id),
    ])
      expect(work).toThrow(refusal);
    expect(jobs.list()).toEqual(before);
    expect([room.packages.pins.get(PACKAGE.id), fakes[1]!.wishes]).toEqual([2, []]);
    room.refuseWrites(false);
    expect([jobs.remove(planned.id), jobs.remove(draft.id), jobs.remove(running.id)]).toEqual(['removed', 'removed', 'stopped']);
    for (const fake of fakes) fake.script = { moments: [GOOD[3]!] };
    expect((await room.ended(jobs.deploy(allowed.id, NOW, 'ann'))).state).toBe('DONE');
    expect((await room.ended(running)).state).toBe('DONE');
    expect(room.packages.pins.get(PACKAGE.id)).toBe(0);
  });

  it('is asked of no member; how the job ended is written down as soon as that can be done', async () => {
    const room = await JobsRoom.open();
    const { addresses, fakes } = await start(room, 2);
    const job = await begunIn(room, addresses);
    room.refuseWrites(true);
    fakes[0]!.script = { moments: [GOOD[3]!] };
    await room.ended(job);
    expect([job.state, progressOf(job)]).toEqual(['PARTIAL_SUCCESS', ['SUCCESS', 'FAILED']]);
    expect([fakes[1]!.wishes, job.members[1]!.installing.detail]).toEqual([[], expect.stringContaining('written down')]);
    room.refuseWrites(false);
    room.jobs.look();
    await room.close();
    const after = await JobsRoom.open({ folder: room.folder });
    expect(after.jobs.list()).toEqual([job]);
  });

  it('is tried again where it is the beginning of a job that was scheduled', async () => {
    let now = Date.now();
    const room = await JobsRoom.open({ wallMs: () => now });
    const { addresses, fakes } = await start(room, 1);
    fakes[0]!.script = { moments: GOOD };
    const job = room.jobs.deploy(room.allowed(addresses).id, { type: 'SCHEDULED', scheduledMs: now + 60_000 }, 'ann');
    now += 60_000;
    room.refuseWrites(true);
    room.jobs.look();
    expect(job).toMatchObject({ state: 'SCHEDULED', detail: expect.stringContaining('written down') as string });
    room.refuseWrites(false);
    room.jobs.look();
    expect(await room.ended(job)).toMatchObject({ state: 'DONE', detail: '' });
  });
});
