/** Jobs whose coordinator ends in the middle, by kill -9 or as it should, and many members at once. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { UpdateJob } from '../../src/update/job.js';
import { rollOut } from '../../src/update/roll-out.js';
import { makeCertificate, type TestPair } from '../peer/certificates.js';
import { chance } from '../support/chance.js';
import { FakeMember, failing, GOOD, type Moment, type Script } from './fake-member.js';
import { JobsRoom } from './jobs-room.js';

let pair: TestPair;
beforeAll(async () => {
  pair = await makeCertificate();
});
const members: FakeMember[] = [];
afterEach(async () => {
  for (const member of members.splice(0)) await member.down();
});

async function start(room: JobsRoom, scripts: readonly Script[]): Promise<{ addresses: string[]; fakes: FakeMember[] }> {
  const fakes = await Promise.all(scripts.map((script) => FakeMember.start(pair, script)));
  members.push(...fakes);
  for (const { address } of fakes) room.meet(address, pair);
  return { addresses: fakes.map(({ address }) => address), fakes };
}

const STUCK: Script = { moments: [GOOD[0]!] };
const WELL: Script = { moments: GOOD };
const progressOf = (job: UpdateJob): string[] => job.members.map(({ progress }) => progress);

describe('a coordinator that ends in the middle', () => {
  it.each(['kill -9', 'an end'] as const)('goes on behind it, and asks nobody twice (%s)', async (how) => {
    const room = await JobsRoom.open();
    const { addresses, fakes } = await start(room, [WELL, STUCK, STUCK, WELL]);
    const job = room.begin(addresses, { limits: { maxConcurrent: 2 } });
    await expect.poll(() => progressOf(job).slice(0, 3), { timeout: 20_000 }).toEqual(['SUCCESS', 'DOWNLOAD_IN_PROGRESS', 'DOWNLOAD_IN_PROGRESS']);
    await (how === 'kill -9' ? room.drop() : room.close());
    expect(job.state).toBe('IN_PROGRESS');
    // Meanwhile one of them comes to its end, and one has failed.
    fakes[1]!.script = { moments: [GOOD[3]!] };
    fakes[2]!.script = { moments: failing('download', 'DOWNLOAD_FAILED').slice(1) };
    const after = await JobsRoom.open({ folder: room.folder });
    const again = after.jobs.get(job.id);
    expect(progressOf(again)).toEqual(['SUCCESS', 'DOWNLOAD_IN_PROGRESS', 'DOWNLOAD_IN_PROGRESS', 'NOT_SET']);
    expect(again).toMatchObject({ startMs: job.startMs, limits: job.limits, deployedBy: 'ann' });
    after.resume();
    after.resume();
    expect((await after.ended(again)).state).toBe('PARTIAL_SUCCESS');
    expect(progressOf(again)).toEqual(['SUCCESS', 'SUCCESS', 'FAILED', 'SUCCESS']);
    expect(fakes.map(({ wishes }) => wishes.length)).toEqual([1, 1, 1, 1]);
    expect(after.reports).toEqual([]);
    expect(after.tasks.list('update-job')).toHaveLength(1);
  });

  it('while a member was being asked finds that member at it, and asks one that did not hear again', async () => {
    const room = await JobsRoom.open();
    const { addresses, fakes } = await start(room, [WELL, WELL]);
    // Of an earlier job: not to be taken for this one's.
    await room.ended(room.begin(addresses));
    fakes[0]!.script = { asked: 'mute', moments: GOOD };
    fakes[1]!.script = { asked: 'none', moments: GOOD };
    const job = room.begin(addresses);
    await expect.poll(() => fakes.map(({ wishes }) => wishes.length), { timeout: 20_000 }).toEqual([2, 2]);
    await room.drop();
    const after = await JobsRoom.open({ folder: room.folder });
    const again = after.jobs.get(job.id);
    expect(again.members).toMatchObject([
      { isAsked: true, install: null },
      { isAsked: true, install: null },
    ]);
    fakes[0]!.script = WELL;
    fakes[1]!.script = WELL;
    after.resume();
    expect((await after.ended(again)).state).toBe('DONE');
    expect(fakes.map(({ wishes }) => wishes.length)).toEqual([2, 3]);
  });

  it('and can not begin a member any more follows those that it has begun', async () => {
    const room = await JobsRoom.open();
    const { addresses, fakes } = await start(room, [STUCK, WELL]);
    const job = room.begin(addresses, { limits: { maxConcurrent: 1 } });
    await expect.poll(() => progressOf(job)[0], { timeout: 20_000 }).toBe('DOWNLOAD_IN_PROGRESS');
    await room.drop();
    fakes[0]!.script = { moments: [GOOD[3]!] };
    const after = await JobsRoom.open({ folder: room.folder, own: { isSecure: false } });
    after.resume();
    const again = await after.ended(job);
    expect(again.members.map(({ progress, error }) => `${progress} ${error}`)).toEqual(['SUCCESS NOT_SET', 'FAILED MALFORMED_IMAGE_URL']);
    expect(fakes.map(({ wishes }) => wishes.length)).toEqual([1, 0]);
  });

  it('goes on with a job that was told to end, and begins no other member', async () => {
    const room = await JobsRoom.open();
    const { addresses, fakes } = await start(room, [STUCK, WELL]);
    const job = room.begin(addresses, { limits: { maxConcurrent: 1 } });
    await expect.poll(() => progressOf(job)[0], { timeout: 20_000 }).toBe('DOWNLOAD_IN_PROGRESS');
    room.jobs.remove(job.id);
    await room.drop();
    fakes[0]!.script = { moments: [GOOD[3]!] };
    const after = await JobsRoom.open({ folder: room.folder });
    after.resume();
    expect(progressOf(await after.ended(job))).toEqual(['SUCCESS', 'NOT_SET']);
  });

  it('follows a canary to its end before it begins another', async () => {
    const room = await JobsRoom.open();
    const { addresses, fakes } = await start(room, [STUCK, WELL]);
    const job = room.begin(addresses, { limits: { canary: true } });
    await expect.poll(() => progressOf(job)[0], { timeout: 20_000 }).toBe('DOWNLOAD_IN_PROGRESS');
    await room.drop();
    fakes[0]!.script = { moments: failing('install', 'IMAGE_ACTIVATION_FAILED').slice(2) };
    const after = await JobsRoom.open({ folder: room.folder });
    after.resume();
    expect(progressOf(await after.ended(job))).toEqual(['FAILED', 'NOT_SET']);
  });

  it('between the job and its task finds the one and makes the other', async () => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, [STUCK]);
    const job = room.begin(addresses);
    await room.close();
    members[0]!.script = WELL;
    const after = await JobsRoom.open({ folder: room.folder });
    // The table of tasks is an older one.
    for (const { id } of after.tasks.list()) Object.assign(after.tasks.find(id)!, { state: 'failed' });
    after.jobs.look();
    expect((await after.ended(job)).state).toBe('DONE');
  });
});

describe('a coordinator that is a member of its own job', () => {
  it('is the last, and alone, behind the image server, which is so, too', async () => {
    const room = await JobsRoom.open();
    const { addresses } = await start(room, [WELL, WELL, WELL, WELL]);
    const job = room.allowed(addresses, { imageServer: addresses[1]!, limits: { maxConcurrent: 4 } });
    const log: string[] = [];
    await rollOut(job, {
      isOwn: (address) => address === addresses[0],
      update: async (member) => {
        const name = String(addresses.indexOf(member.address));
        log.push(name);
        await new Promise(setImmediate);
        member.progress = 'SUCCESS';
        log.push(name);
      },
    });
    expect(log).toEqual(['2', '3', '2', '3', '1', '1', '0', '0']);
  });
});

describe('a coordinator that is its own peer', () => {
  it('knows itself, and begins itself behind all others', async () => {
    let port = 0;
    const room = await JobsRoom.open({ own: { port: () => port } });
    const begun: number[] = [];
    const fakes = await Promise.all([0, 1, 2].map((i) => FakeMember.start(pair, WELL, (_, what) => void (what === 'begun' && begun.push(i)))));
    members.push(...fakes);
    for (const { address } of fakes) room.meet(address, pair);
    port = Number(fakes[0]!.address.split(':')[1]);
    const job = await room.ended(
      room.begin(
        fakes.map(({ address }) => address),
        { limits: { canary: true } },
      ),
    );
    expect([job.state, begun]).toEqual(['DONE', [1, 2, 0]]);
  });
});

describe('fifty members', () => {
  /** All that goes wrong, and what a member comes to then. */
  const WRONG: [string, Script][] = [
    ['FAILED MALFORMED_IMAGE_URL', { asked: 'UPDATE_URL', moments: [] }],
    ['FAILED ANOTHER_INSTALL_IN_PROGRESS', { asked: 'TASK_RUNNING', moments: [] }],
    ['FAILED IMAGE_INSTALL_FAILED', { asked: 'unauthorized', moments: [] }],
    ['FAILED IMAGE_URL_NOT_REACHABLE', { moments: failing('download', 'IMAGE_URL_NOT_REACHABLE') }],
    ['FAILED DOWNLOAD_FAILED', { moments: failing('download', 'DOWNLOAD_FAILED') }],
    ['FAILED DOWNLOAD_VALIDATION_FAILED', { moments: failing('download', 'DOWNLOAD_VALIDATION_FAILED') }],
    ['FAILED EXTRACTION_FAILED', { moments: failing('install', 'EXTRACTION_FAILED') }],
    ['FAILED IMAGE_ACTIVATION_FAILED', { moments: failing('install', 'IMAGE_ACTIVATION_FAILED') }],
    ['FAILED IMAGE_SET_BOOT_FAILED', { moments: failing('install', 'IMAGE_SET_BOOT_FAILED') }],
    ['SWITCH_UNREACHABLE SWITCH_UNREACHABLE', { moments: ['vanish'] }],
    ['SWITCH_UNREACHABLE SWITCH_UNREACHABLE', { moments: [GOOD[0]!, 'hang'] }],
    ['SWITCH_REACHABILITY_TIMED_OUT SWITCH_UNREACHABLE', { moments: [GOOD[0]!, GOOD[1]!, 'vanish'] }],
  ];

  it.each([1, 2])(
    'of which a third fails at any step: each has what it came to (seed %s)',
    async (seed) => {
      const next = chance(seed);
      // Sixteen at once share two cores with their coordinator.
      const room = await JobsRoom.open({ exchange: { idleMs: 2000 }, follow: { silentMs: 2000 } });
      const scripts = Array.from({ length: 50 }, (): [string, Script] => {
        if (next() < 1 / 3) return WRONG[Math.floor(next() * WRONG.length)]!;
        const restart: Moment[] = next() < 0.2 ? [{ downMs: 50 }] : [];
        return ['SUCCESS NOT_SET', { moments: [...GOOD.slice(0, 2), ...restart, ...GOOD.slice(2)] }];
      });
      const { addresses } = await start(
        room,
        scripts.map(([, script]) => script),
      );
      const job = await room.ended(room.begin(addresses, { limits: { maxConcurrent: 16 } }));
      expect(job.members.map(({ progress, error }) => `${progress} ${error}`)).toEqual(scripts.map(([ends]) => ends));
      expect(job.state).toBe('PARTIAL_SUCCESS');
      expect(room.reports).toEqual([]);
    },
    60_000,
  );
});
