/** What becomes of a member, whatever it does: every status and error of the API, over HTTPS on loopback. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { INSTALL_ERRORS } from '../../src/peer/install.js';
import { MEMBER_PROGRESS } from '../../src/api/lcm/schema.js';
import type { JobMember, MemberProgress } from '../../src/update/job.js';
import type { InstallError } from '../../src/peer/install.js';
import { makeCertificate, type TestPair } from '../peer/certificates.js';
import { FakeMember, failing, GOOD, type Script } from './fake-member.js';
import { JobsRoom, PACKAGE, SHORT, type RoomWish } from './jobs-room.js';

let [pair, other]: TestPair[] = [];
beforeAll(async () => {
  [pair, other] = [await makeCertificate(), await makeCertificate()];
});
const members: FakeMember[] = [];
afterEach(async () => {
  for (const member of members.splice(0)) await member.down();
});

const [LOADING, INSTALLING, RESTARTING, SUCCESS] = GOOD as [(typeof GOOD)[0], (typeof GOOD)[0], (typeof GOOD)[0], (typeof GOOD)[0]];

interface Case {
  script: Script;
  /** What it comes to. */
  ends: [MemberProgress, InstallError];
  /** In the sentence that says why. */
  why?: RegExp;
  /** What else is expected to be seen on the way. */
  seen?: MemberProgress[];
  room?: RoomWish;
  /** It is not there when the job begins. */
  isDown?: boolean;
  pinnedTo?: () => TestPair;
  wishes?: number;
}

const failed = (error: InstallError, step: 'download' | 'install'): Case => ({
  script: { moments: failing(step, error) },
  ends: ['FAILED', error],
  why: /the test says so/,
});
const refused = (asked: NonNullable<Script['asked']>, error: InstallError, why: RegExp): Case => ({
  script: { asked, moments: [] },
  ends: ['FAILED', error],
  why,
});

const IMPATIENT: RoomWish = { follow: { memberMs: 100 } };

const CASES: Record<string, Case> = {
  'does what it should': {
    script: { moments: GOOD },
    ends: ['SUCCESS', 'NOT_SET'],
    seen: ['INSTALL_REQUEST_RECEIVED', 'DOWNLOAD_IN_PROGRESS', 'INSTALL_IN_PROGRESS', 'REBOOT_IN_PROGRESS'],
    wishes: 1,
  },
  'is not where it is to download from': failed('IMAGE_URL_NOT_REACHABLE', 'download'),
  'loses its download': failed('DOWNLOAD_FAILED', 'download'),
  'has downloaded something else': failed('DOWNLOAD_VALIDATION_FAILED', 'download'),
  'can not unpack it': failed('EXTRACTION_FAILED', 'install'),
  'can not install it': failed('IMAGE_INSTALL_FAILED', 'install'),
  'can not activate it': failed('IMAGE_ACTIVATION_FAILED', 'install'),
  'can not stay with it': failed('IMAGE_SET_BOOT_FAILED', 'install'),
  'fails and does not say with what': { ...failed('IMAGE_INSTALL_FAILED', 'install'), script: { moments: failing('install', 'NOT_SET') } },
  'is busy with another update': refused('TASK_RUNNING', 'ANOTHER_INSTALL_IN_PROGRESS', /collide/),
  'does not know this probe': refused('UPDATE_URL', 'MALFORMED_IMAGE_URL', /none of a peer/),
  'is not to be updated': refused('UPDATES_OFF', 'IMAGE_INSTALL_FAILED', /so that it can be updated/),
  'refuses in a way that is not known': refused('NO_SUCH_CODE' as 'INTERNAL', 'IMAGE_INSTALL_FAILED', /HTTP status 409/),
  'refuses the password': refused('unauthorized', 'IMAGE_INSTALL_FAILED', /the user name or the password/),
  'is not there': {
    room: SHORT,
    script: { moments: [] },
    isDown: true,
    ends: ['SWITCH_UNREACHABLE', 'SWITCH_UNREACHABLE'],
    why: /nothing listens/,
  },
  'shows the certificate of another': {
    room: SHORT,
    script: { moments: [] },
    pinnedTo: () => other!,
    ends: ['SWITCH_UNREACHABLE', 'SWITCH_UNREACHABLE'],
    why: /certificate/,
    wishes: 0,
  },
  'never answers the request': {
    room: SHORT,
    script: { asked: 'none', moments: [] },
    ends: ['SWITCH_UNREACHABLE', 'SWITCH_UNREACHABLE'],
    why: /was silent/,
  },
  'is heard too late': { script: { asked: 'lost', moments: GOOD }, ends: ['SUCCESS', 'NOT_SET'], wishes: 1 },
  'vanishes while it downloads': {
    room: SHORT,
    script: { moments: [LOADING, 'vanish'] },
    ends: ['SWITCH_UNREACHABLE', 'SWITCH_UNREACHABLE'],
    why: /nothing listens/,
  },
  'falls silent while it downloads': {
    room: SHORT,
    script: { moments: [LOADING, 'hang'] },
    ends: ['SWITCH_UNREACHABLE', 'SWITCH_UNREACHABLE'],
    why: /was silent/,
  },
  'talks rubbish': { room: SHORT, script: { moments: [LOADING, 'rubbish'] }, ends: ['SWITCH_UNREACHABLE', 'SWITCH_UNREACHABLE'], why: /without a/ },
  'is away for a moment while it downloads': { script: { moments: [LOADING, { downMs: 100 }, ...GOOD] }, ends: ['SUCCESS', 'NOT_SET'], wishes: 1 },
  'restarts and is back': {
    script: { moments: [INSTALLING, { downMs: 150 }, SUCCESS] },
    ends: ['SUCCESS', 'NOT_SET'],
    seen: ['REBOOT_IN_PROGRESS'],
    wishes: 1,
  },
  'goes back to the version before': {
    script: { moments: [INSTALLING, { downMs: 100 }, { downMs: 100 }, ...failing('install', 'IMAGE_ACTIVATION_FAILED').slice(2)] },
    ends: ['FAILED', 'IMAGE_ACTIVATION_FAILED'],
    seen: ['REBOOT_IN_PROGRESS'],
  },
  'does not come back': {
    room: SHORT,
    script: { moments: [INSTALLING, 'vanish'] },
    ends: ['SWITCH_REACHABILITY_TIMED_OUT', 'SWITCH_UNREACHABLE'],
    seen: ['REBOOT_IN_PROGRESS'],
    why: /nothing listens/,
  },
  'says that it restarts, and goes': {
    room: SHORT,
    script: { moments: [RESTARTING, 'hang'] },
    ends: ['SWITCH_REACHABILITY_TIMED_OUT', 'SWITCH_UNREACHABLE'],
  },
  'knows nothing of it': { script: { moments: [LOADING, 'forget'] }, ends: ['FAILED', 'IMAGE_INSTALL_FAILED'], why: /does not know/ },
  'downloads for ever': { script: { moments: [LOADING] }, room: IMPATIENT, ends: ['FAILED', 'DOWNLOAD_FAILED'], why: /within 0.1 s/ },
  'installs for ever': { script: { moments: [INSTALLING] }, room: IMPATIENT, ends: ['FAILED', 'IMAGE_INSTALL_FAILED'], why: /within 0.1 s/ },
  'restarts for ever': {
    script: { moments: [RESTARTING] },
    room: IMPATIENT,
    ends: ['SWITCH_REACHABILITY_TIMED_OUT', 'SWITCH_UNREACHABLE'],
    why: /within 0.1 s/,
  },
};

const whyOf = ({ download, installing }: JobMember): string => download.detail + installing.detail;

describe('a member that', () => {
  const progressSeen = new Set<string>(['NOT_SET']);
  const errorsSeen = new Set<string>();

  it.each(Object.entries(CASES))(
    '%s',
    async (_, { script, ends, why, seen = [], room: wish = {}, isDown = false, pinnedTo = () => pair!, wishes }) => {
      const room = await JobsRoom.open(wish);
      const fake = await FakeMember.start(pair!, script);
      members.push(fake);
      room.meet(fake.address, pinnedTo());
      if (isDown) await fake.down();
      const job = room.begin([fake.address]);
      const [member] = job.members as [JobMember];
      const found = new Set<string>();
      const watching = setInterval(() => found.add(member.progress), 1);
      await room.ended(job);
      clearInterval(watching);
      expect([member.progress, member.error]).toEqual(ends);
      expect(job).toMatchObject({ state: ends[0] === 'SUCCESS' ? 'DONE' : 'FAILED', detail: '' });
      if (why) expect(whyOf(member)).toMatch(why);
      else if (ends[0] === 'SUCCESS') expect(whyOf(member)).toBe('');
      expect([...found]).toEqual(expect.arrayContaining(seen));
      if (wishes !== undefined) expect(fake.wishes).toHaveLength(wishes);
      for (const each of fake.wishes)
        expect(each).toEqual({
          url: `https://127.0.0.1:8470/api/spillway.update/1.0/packages/items/${PACKAGE.id}/file`,
          ...{ package: PACKAGE.id, version: PACKAGE.version, bytes: PACKAGE.bytes, sha256: PACKAGE.sha256 },
        });
      expect(room.reports).toEqual([]);
      for (const each of [...found, member.progress]) progressSeen.add(each);
      errorsSeen.add(member.error);
    },
  );

  it('between them have shown every status and every error', () => {
    expect([...progressSeen].sort()).toEqual([...MEMBER_PROGRESS].sort());
    expect([...errorsSeen].sort()).toEqual([...INSTALL_ERRORS].sort());
  });

  it('is asked no more, and says what it did, when it is over', async () => {
    const room = await JobsRoom.open();
    const fake = await FakeMember.start(pair!, { moments: GOOD.map((said) => ({ ...said, detail: 'open sesame is the password\n' })) });
    members.push(fake);
    room.meet(fake.address, pair!);
    const job = await room.ended(room.begin([fake.address]));
    expect(fake.looks).toBe(GOOD.length);
    expect(job.members[0]).toMatchObject({
      download: { status: 'DOWNLOAD_SUCCESS', progress: 100 },
      installing: { status: 'INSTALL_SUCCESS', progress: 100 },
    });
  });

  it('tells our own password, or odd numbers, is not repeated', async () => {
    const room = await JobsRoom.open();
    const odd = { status: 'INSTALL_FAILED', progress: 1e9, bytes: -1, total_bytes: 'x', rate: 0.5, detail: 'a\u0000b' } as never;
    const fake = await FakeMember.start(pair!, {
      moments: [
        { progress: 'FAILED', error: 'IMAGE_INSTALL_FAILED', detail: 'I was told open sesame', download: { detail: 'x'.repeat(9000) }, install: odd },
      ],
    });
    members.push(fake);
    room.meet(fake.address, pair!);
    const { members: found } = await room.ended(room.begin([fake.address]));
    expect(found[0]!.installing).toMatchObject({ progress: 100, bytes: 0, total_bytes: 0, rate: 0, detail: 'a b' });
    expect(found[0]!.download.detail).toHaveLength(500);
    expect(JSON.stringify(found)).not.toContain('sesame');
  });
});
