/** One member's update, step by step: what it answers, or why it does not, is the test's. */
import { describe, expect, it } from 'vitest';
import { SpillwayError, type ErrorCode } from '../../src/errors.js';
import { NO_STEP, type InstallProgress, type InstallWish } from '../../src/peer/install.js';
import { Refusal, type Install } from '../../src/peer/update.js';
import { newMember, type JobMember } from '../../src/update/job.js';
import { updateMember, type MemberUpdate } from '../../src/update/member.js';
import { PACKAGE } from './jobs-room.js';

const PEER = { address: '192.0.2.7', ip: '192.0.2.7', port: 8470, pin: null, ca: null };
const NOW_S = 1_800_000_000;
const ID = 'ef'.repeat(12);
const WISH: InstallWish = { url: 'https://192.0.2.1/', package: PACKAGE.id, version: PACKAGE.version, bytes: 1, sha256: 'cd' };

const away = new SpillwayError('PEER_UNREACHABLE', 'nothing listens there');
const refuses = (status: number, code: ErrorCode | null = null): Refusal => new Refusal(PEER, status, code);
const at = (progress: InstallProgress, more: Partial<Install> = {}): Install => ({
  ...{ id: ID, package: PACKAGE.id, progress, error: 'NOT_SET', detail: '' },
  ...{ download: { status: 'IDLE', ...NO_STEP }, install: { status: 'IDLE', ...NO_STEP } },
  ...more,
});
const RECEIVED = at('INSTALL_REQUEST_RECEIVED');
const INSTALLING = at('INSTALL_IN_PROGRESS');
const SUCCESS = at('SUCCESS');

/** What comes of each call in its order; the last one stays. */
interface Script {
  last?: (Install | null | Error)[];
  wish?: (InstallWish | Error)[];
  begin?: (Install | Error)[];
  look?: (Install | Error)[];
}

/** The update of `member`, whose silences are never over unless `patience` says so. Resolves to the calls and to all that was seen of its progress. */
async function update(
  member: JobMember,
  script: Script,
  patience: Partial<MemberUpdate['patience']> = {},
  mayBegin = () => true,
): Promise<{ calls: string; seen: string[] }> {
  let calls = '';
  const seen: string[] = [];
  const next =
    <T>(name: string, answers: (T | Error)[]) =>
    (): Promise<T> => {
      calls += `${name} `;
      const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(structuredClone(answer));
    };
  const { last = [null], wish = [WISH], begin = [RECEIVED], look = [SUCCESS] } = script;
  await updateMember({
    member,
    package: PACKAGE.id,
    reach: () => ({ last: next('last', last), begin: next('begin', begin), look: next('look', look) }),
    wish: next('wish', wish),
    mayBegin,
    keep: () => void (calls += 'keep '),
    changed: () => void seen.push(member.progress),
    wallMs: () => NOW_S * 1000 + 1,
    signal: new AbortController().signal,
    patience: { pollMs: { first: 1, most: 1 }, reachMs: 60_000, silentMs: 60_000, memberMs: 60_000, ...patience },
  });
  return { calls: calls.trim(), seen };
}

const NEVER = { reachMs: -1, silentMs: -1 };
const fresh = (): JobMember => newMember(PEER.address, PEER.address);
const asked = (): JobMember => Object.assign(fresh(), { isAsked: true });
const begun = (): JobMember => Object.assign(asked(), { install: ID, progress: 'DOWNLOAD_IN_PROGRESS' });

describe('a member that', () => {
  it('has the update is followed, whether or not it could still be told what to install', async () => {
    const member = begun();
    const { calls } = await update(member, { wish: [new SpillwayError('UPDATE_URL', 'not over HTTPS')], look: [INSTALLING, SUCCESS] });
    expect([calls, member.progress]).toEqual(['look look', 'SUCCESS']);
  });

  it('can not be told yet where to download from is waited for', async () => {
    const member = fresh();
    const { calls } = await update(member, { wish: [away, WISH] });
    expect([calls, member.progress]).toEqual(['last wish last wish keep begin look', 'SUCCESS']);
  });

  it.each([
    ['was not reached', away],
    ['is too busy', refuses(503, 'AUTH_BUSY')],
    ['wants to be left alone for a while', refuses(429, 'AUTH_LOCKED')],
  ])('%s is asked a little later, and given up after a while', async (_, why) => {
    const member = fresh();
    await update(member, { last: [why, why, null] });
    expect(member.progress).toBe('SUCCESS');
    const other = fresh();
    expect((await update(other, { last: [why] }, { ...NEVER, silentMs: 60_000 })).calls).toBe('last');
    expect([other.isAsked, other.installing.detail]).toEqual([false, why.message]);
  });

  it.each([
    ['this run of the server', fresh],
    ['an earlier one', asked],
  ])('may have heard %s, and is away then, is asked what it is at until it answers', async (_, who) => {
    const member = who();
    const last = member.isAsked ? [] : [null];
    const { calls } = await update(member, { last: [...last, away, away, RECEIVED], begin: [away] }, { reachMs: -1 });
    expect(calls).toBe(`${last.length === 0 ? '' : 'last wish keep begin '}last last last look`);
    expect([member.progress, member.install]).toEqual(['SUCCESS', ID]);
  });

  it('was not reached yet is left alone once no other is to be begun', async () => {
    const member = fresh();
    const may = [true, false];
    const { calls } = await update(member, { last: [away] }, {}, () => may.shift()!);
    expect([calls, member]).toEqual(['last', fresh()]);
  });

  it.each([401, 403, 429, 500, 503])('answers with %s is not one that restarts, and may do its work all the same', async (status) => {
    const member = begun();
    const { seen } = await update(member, { look: [INSTALLING, refuses(status), SUCCESS] });
    expect(seen).toEqual(['INSTALL_IN_PROGRESS', 'SUCCESS']);
  });

  it('does nothing but refuse has failed, and it is said with what', async () => {
    const member = Object.assign(begun(), { progress: 'INSTALL_IN_PROGRESS' });
    await update(member, { look: [refuses(401, 'AUTH_INVALID_CREDENTIALS')] }, NEVER);
    expect([member.progress, member.error]).toEqual(['FAILED', 'IMAGE_INSTALL_FAILED']);
    expect(member.installing.detail).toMatch(/the user name or the password/);
  });

  const start_time = NOW_S - 100;
  const LOADING = at('DOWNLOAD_IN_PROGRESS', { download: { ...NO_STEP, status: 'DOWNLOAD_IN_PROGRESS', start_time } });
  const UNPACKING = at('INSTALL_IN_PROGRESS', {
    download: { ...NO_STEP, status: 'DOWNLOAD_SUCCESS', start_time, end_time: start_time },
    install: { ...NO_STEP, status: 'INSTALL_IN_PROGRESS', start_time: NOW_S + 5, detail: 'unpacking' },
  });

  it.each([
    ['vanishes', [LOADING, away], { silentMs: -1 }, /nothing listens/],
    ['takes too long', [LOADING], { memberMs: -1 }, /did not come to an end/],
  ])('%s while it downloads has failed with that, and is not said to be at it', async (_, look, patience, why) => {
    const member = begun();
    await update(member, { look }, patience);
    expect(member.download).toMatchObject({ status: 'DOWNLOAD_FAILED', end_time: NOW_S, detail: expect.stringMatching(why) as string });
    expect(member.installing).toEqual({ ...NO_STEP, status: 'IDLE' });
  });

  it.each([
    ['vanishes', [UNPACKING, away], { silentMs: -1 }, /nothing listens/],
    ['takes too long', [UNPACKING], { memberMs: -1 }, /did not come to an end/],
  ])('%s while it installs has failed with that, whatever it said last', async (_, look, patience, why) => {
    const member = begun();
    await update(member, { look }, patience);
    expect(member.download).toEqual(UNPACKING.download);
    // By its own clock it began later.
    expect(member.installing).toMatchObject({ status: 'INSTALL_FAILED', end_time: NOW_S + 5, detail: expect.stringMatching(why) as string });
  });
});
