/** Update jobs over REST: raw HTTP as their clients send it, with members on loopback. */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine } from '../export/fakes.js';
import { makeCertificate, type TestPair } from '../peer/certificates.js';
import { makePair } from '../support/pair.js';
import { temporaryFolder } from '../support/temporary.js';
import { FakeMember, failing, GOOD } from '../update/fake-member.js';
import { somePackage } from '../update/some-package.js';
import { basic, passwordOf, TestProbe, type Answer } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const folder = temporaryFolder();
/** What a member says at once: it is asked every other second. */
const DONE = GOOD.slice(-1);
const LOST = failing('download', 'DOWNLOAD_FAILED').slice(-1);
let pair: TestPair;
let probe: TestProbe;
let [well, bad]: FakeMember[] = [];
let packageId: string;

type User = 'admin' | 'operator' | 'reader';
const tokens = new Map<User, string>();

const ask = (method: string, path: string, body?: unknown, user: User = 'operator'): Promise<Answer> =>
  probe.ask(path, {
    method,
    headers: { authorization: `Bearer ${tokens.get(user)}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
const json = <T = Record<string, unknown>>({ body }: Answer): T => JSON.parse(body.toString()) as T;

interface Told {
  new_object_id?: string;
  id: string;
  message: string;
  messageParams: string[];
  messages: { id: string; message: string; field_name: string; messageParams: string[] }[];
}

/** Every answer that tells what became of a request is exactly this. */
function told(answer: Answer): Told {
  const body = json<Told>(answer);
  expect(Object.keys(body).filter((name) => name !== 'new_object_id')).toEqual(['id', 'message', 'messageParams', 'messages']);
  expect([typeof body.id, body.message, Array.isArray(body.messageParams)]).toEqual(['string', expect.stringMatching(/\S/), true]);
  for (const each of body.messages) expect(Object.keys(each)).toEqual(['id', 'message', 'field_name', 'messageParams']);
  expect(body.messages).toHaveLength(answer.status === 200 ? 0 : 1);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  return body;
}
const faultOf = (answer: Answer): [number, string, string] => {
  const { id, messages } = told(answer);
  expect(messages[0]!.id).toBe(id);
  return [answer.status, id, messages[0]!.field_name];
};

const JOBS = '/lcm/update-jobs';
const draft = (more: object = {}): object => ({
  name: 'night',
  os_image_version: '0.2.0',
  switch_members: [{ id: well!.address, name: 'west' }],
  ...more,
});

async function made(more: object = {}): Promise<string> {
  const answer = await ask('POST', JOBS, draft(more));
  const { id, new_object_id: job, messageParams } = told(answer);
  expect([answer.status, id, messageParams]).toEqual([200, 'UPDATE_JOB_CREATED', [job]]);
  return job!;
}
async function allowed(more: object = {}): Promise<string> {
  const id = await made(more);
  const answer = await ask('POST', `${JOBS}/${id}/approve`, undefined, 'admin');
  expect([answer.status, told(answer).id]).toEqual([200, 'UPDATE_JOB_APPROVED']);
  return id;
}
const jobOf = async (id: string): Promise<Record<string, unknown>> =>
  json<{ data: Record<string, unknown>[] }>(await ask('GET', JOBS, undefined, 'reader')).data.find((job) => job['id'] === id)!;

interface Status {
  start_time: number;
  end_time: number;
  status: string;
  data: Record<string, unknown>[];
}
const statusOf = async (id: string): Promise<Status> => json<Status>(await ask('POST', `${JOBS}/${id}/status`, undefined, 'reader'));

beforeAll(async () => {
  pair = await makeCertificate();
  probe = await TestProbe.start(new FakeEngine().prepare, { tls: await makePair(join(folder.path, 'tls')) });
  for (const role of ['admin', 'operator', 'reader'] as const) {
    await probe.addUser(role, role);
    const answer = await probe.ask('/auth/token', { body: { username: role, password: passwordOf(role) } });
    const {
      access_token: token,
      token_type: type,
      expires_at: end,
      ...rest
    } = json<{ access_token: string; token_type: string; expires_at: number }>(answer);
    expect([answer.status, answer.headers['cache-control'], type, rest]).toEqual([200, 'no-store', 'bearer', {}]);
    expect(end).toBeGreaterThan(Date.now() / 1000);
    tokens.set(role, token);
  }
  const admin = basic('admin', passwordOf('admin'));
  const imported = await probe.ask('/api/spillway.update/1.0/packages', { method: 'POST', headers: admin, body: await somePackage() });
  expect(imported.status).toBe(201);
  packageId = json<{ items: { id: string }[] }>(imported).items[0]!.id;
  const profile = { name: 'all', username: 'updater', password: 'open sesame', default: true };
  expect((await probe.ask('/api/spillway.admin/1.0/profiles', { headers: admin, body: profile })).status).toBe(201);
  [well, bad] = [await FakeMember.start(pair, { moments: DONE }), await FakeMember.start(pair, { moments: LOST })];
  for (const { address } of [well, bad]) {
    const peer = await probe.ask('/api/spillway.admin/1.0/peers', { headers: admin, body: { address, pin: pair.pin } });
    expect(peer.status).toBe(201);
  }
});
beforeEach(() => {
  well!.script = { moments: DONE };
});
afterAll(async () => {
  await probe.stop();
  for (const member of [well, bad]) await member?.down();
});

describe('a token', () => {
  it.each([
    [{ username: 'admin', password: 'wrong' }, 401, 'AUTH_INVALID_CREDENTIALS', ''],
    [{ username: 'admin' }, 400, 'REQUEST_INVALID', 'password'],
    [{ username: 'admin', password: 5 }, 400, 'REQUEST_INVALID', 'password'],
    ['{', 400, 'REQUEST_INVALID', ''],
  ])('is not given for %j', async (body, status, id, field) => {
    const answer = await probe.ask('/auth/token', { method: 'POST', headers: { 'content-type': 'application/json' }, body: body as object });
    expect(faultOf(answer)).toEqual([status, id, field]);
  });

  it('or other credentials are needed', async () => {
    for (const [method, path] of [
      ['GET', JOBS],
      ['POST', `${JOBS}/x/status`],
    ] as const) {
      expect(faultOf(await probe.ask(path, { method }))).toEqual([401, 'AUTH_REQUIRED', '']);
      expect(faultOf(await probe.ask(path, { method, headers: { authorization: 'Bearer x' } }))).toEqual([401, 'AUTH_INVALID_SESSION', '']);
    }
    expect((await probe.ask(JOBS, { headers: basic('reader', passwordOf('reader')) })).status).toBe(200);
  });
});

describe('an update job', () => {
  it('is drafted, and shown with every field', async () => {
    const id = await made({ description: 'to the newest', canary: true, max_concurrent: 2, stop_after_failures: 3 });
    const job = await jobOf(id);
    expect(job).toEqual({
      ...{ id, name: 'night', description: 'to the newest', job_type: 'NOT_SET', scheduled_at: 0 },
      ...{ os_image_version: '0.2.0', image_file_name: `spillway-0.2.0-linux-x64-${packageId}.tar.gz`, job_state: 'DRAFT' },
      ...{ start_time: 0, end_time: 0, switch_group: { id: '', name: '' }, switch_members: [{ id: well!.address, name: 'west' }] },
      image_server: { id: '', name: 'this probe' },
      user_info: { created_by: 'operator', created_at: expect.any(Number) as number, approved_by: '', deployed_by: '' },
      ...{ max_concurrent: 2, canary: true, stop_after_failures: 3, detail: '' },
    });
    expect(json(await ask('GET', `${JOBS}/${id}`, undefined, 'reader'))).toEqual(job);
    expect(await statusOf(id)).toMatchObject({ start_time: 0, end_time: 0, status: 'NOT_STARTED' });
  });

  it('is asked for by an operator, allowed by an admin, deployed, and followed to its end', async () => {
    const id = await made({ switch_members: undefined, switch_group: { id: 'all' } });
    const waits = await ask('POST', `${JOBS}/${id}/approve`);
    expect([waits.status, told(waits).id, (await jobOf(id))['job_state']]).toEqual([200, 'UPDATE_JOB_PENDING_APPROVAL', 'PENDING_APPROVAL']);
    expect(faultOf(await ask('POST', `${JOBS}/${id}/approve`))).toEqual([409, 'UPDATE_JOB_STATE', '']);
    expect(faultOf(await ask('POST', `${JOBS}/${id}/deploy`, { job_type: 'NOW' }))).toEqual([409, 'UPDATE_JOB_STATE', '']);
    expect(told(await ask('POST', `${JOBS}/${id}/approve`, {}, 'admin')).id).toBe('UPDATE_JOB_APPROVED');
    expect(await jobOf(id)).toMatchObject({ job_state: 'APPROVED', user_info: { approved_by: 'admin', deployed_by: '' } });
    const begun = await ask('POST', `${JOBS}/${id}/deploy`, { job_type: 'NOW' });
    expect([begun.status, told(begun).id]).toEqual([200, 'UPDATE_JOB_DEPLOYED']);
    expect(await jobOf(id)).toMatchObject({ job_state: 'IN_PROGRESS', job_type: 'NOW', end_time: 0 });
    expect((await statusOf(id)).status).toBe('IN_PROGRESS');
    await expect.poll(async () => (await statusOf(id)).status, { timeout: 15_000 }).toBe('PARTIAL_SUCCESS');
    const status = await statusOf(id);
    expect(Object.keys(status)).toEqual(['start_time', 'end_time', 'status', 'data']);
    expect(status.start_time).toBeGreaterThan(Date.now() / 1000 - 60);
    expect(status.end_time).toBeGreaterThanOrEqual(status.start_time);
    const step = { progress: 0, bytes: 0, total_bytes: 0, rate: 0, start_time: 0, end_time: 0, detail: '' };
    const member = (address: string): Record<string, unknown> =>
      status.data.find(({ switch_member: one }) => (one as { id: string }).id === address)!;
    expect(member(well!.address)).toEqual({
      switch_member: { id: well!.address, name: well!.address },
      ...{ update_progress_status: 'SUCCESS', error: 'NOT_SET' },
      download_status: { ...step, status: 'DOWNLOAD_SUCCESS', progress: 100 },
      install_status: { ...step, status: 'INSTALL_SUCCESS', progress: 100 },
    });
    expect(member(bad!.address)).toEqual({
      switch_member: { id: bad!.address, name: bad!.address },
      ...{ update_progress_status: 'FAILED', error: 'DOWNLOAD_FAILED' },
      download_status: { ...step, status: 'DOWNLOAD_FAILED', detail: 'the test says so' },
      install_status: { ...step, status: 'IDLE' },
    });
    expect(await jobOf(id)).toMatchObject({
      ...{ job_state: 'PARTIAL_SUCCESS', switch_group: { id: 'all', name: 'all' } },
      user_info: { created_by: 'operator', approved_by: 'admin', deployed_by: 'operator' },
    });
    expect(new URL(well!.wishes.at(-1)!.url).host).toBe(`127.0.0.1:${probe.port}`);
    expect(told(await ask('DELETE', `${JOBS}/${id}`)).id).toBe('UPDATE_JOB_REMOVED');
    expect(faultOf(await ask('GET', `${JOBS}/${id}`))).toEqual([404, 'UPDATE_JOB_NOT_FOUND', '']);
  });

  it.each([
    ['SUCCESS', 'DONE', DONE],
    ['FAILED', 'FAILED', failing('install', 'IMAGE_SET_BOOT_FAILED').slice(-1)],
  ] as const)('ends as %s, which is %s', async (status, state, moments) => {
    well!.script = { moments };
    const id = await allowed();
    await ask('POST', `${JOBS}/${id}/deploy`, { job_type: 'NOW' });
    await expect.poll(async () => (await statusOf(id)).status, { timeout: 15_000 }).toBe(status);
    expect((await jobOf(id))['job_state']).toBe(state);
  });

  it('is scheduled, and removed before its time', async () => {
    const scheduled_at = Math.floor(Date.now() / 1000) + 3600;
    const id = await allowed();
    const answer = await ask('POST', `${JOBS}/${id}/deploy`, { job_type: 'SCHEDULED', scheduled_at });
    expect([answer.status, told(answer).id]).toEqual([200, 'UPDATE_JOB_SCHEDULED']);
    expect(await jobOf(id)).toMatchObject({ job_state: 'SCHEDULED', job_type: 'SCHEDULED', scheduled_at, start_time: 0 });
    expect((await statusOf(id)).status).toBe('NOT_STARTED');
    expect(told(await ask('DELETE', `${JOBS}/${id}`)).id).toBe('UPDATE_JOB_REMOVED');
  });

  it.each([
    ['SCHEDULED', undefined],
    ['SCHEDULED', {}],
    ['SCHEDULED', { scheduled_at: 0 }],
    ['NOT_SET', { job_type: 'SCHEDULED' }],
    [undefined, { job_type: 'SCHEDULED' }],
  ])('says in its draft when it is to begin, which its deployment may leave out (%s, %j)', async (job_type, body) => {
    const scheduled_at = Math.floor(Date.now() / 1000) + 7200;
    const id = await allowed({ job_type, scheduled_at, image_file_name: '' });
    expect(await jobOf(id)).toMatchObject({ job_state: 'APPROVED', job_type: job_type ?? 'NOT_SET', scheduled_at });
    expect(told(await ask('POST', `${JOBS}/${id}/deploy`, body)).id).toBe('UPDATE_JOB_SCHEDULED');
    expect(await jobOf(id)).toMatchObject({ job_state: 'SCHEDULED', scheduled_at });
    await ask('DELETE', `${JOBS}/${id}`);
  });

  it('conflicts with one that updates a member of it; the one that runs is told to end', async () => {
    well!.script = { moments: [GOOD[0]!] };
    const [first, second] = [await allowed(), await allowed()];
    expect((await ask('POST', `${JOBS}/${first}/deploy`, { job_type: 'NOW' })).status).toBe(200);
    expect(faultOf(await ask('POST', `${JOBS}/${second}/deploy`, { job_type: 'NOW' }))).toEqual([409, 'TASK_RUNNING', 'switch_members']);
    const used = await ask('DELETE', `/api/spillway.update/1.0/packages/items/${packageId}`, undefined, 'admin');
    expect([used.status, json(used)]).toMatchObject([409, { error_id: 'PACKAGE_IN_USE' }]);
    expect(told(await ask('DELETE', `${JOBS}/${first}`)).id).toBe('UPDATE_JOB_STOPPED');
    expect((await jobOf(first))['job_state']).toBe('IN_PROGRESS');
    well!.script = { moments: DONE };
    await expect.poll(async () => (await jobOf(first))['job_state'], { timeout: 15_000 }).toBe('DONE');
  });
});

describe('a request that is wrong', () => {
  const HOUR = 3600;
  it.each<[string, object | string, number, string, string]>([
    ['no JSON', '{', 400, 'REQUEST_INVALID', ''],
    ['no name', { name: undefined }, 400, 'REQUEST_INVALID', 'name'],
    ['an empty name', { name: '' }, 400, 'REQUEST_INVALID', 'name'],
    ['another property', { os_image: 'x' }, 400, 'REQUEST_INVALID', 'os_image'],
    ['no package', { os_image_version: undefined }, 400, 'REQUEST_INVALID', 'os_image_version'],
    ['a version that is not there', { os_image_version: '9.9.9' }, 404, 'PACKAGE_NOT_FOUND', 'os_image_version'],
    ['a file that is not there', { image_file_name: 'x' }, 404, 'PACKAGE_NOT_FOUND', 'image_file_name'],
    ['nobody', { switch_members: [] }, 400, 'REQUEST_INVALID', 'switch_members'],
    ['a stranger', { switch_members: [{ id: '192.0.2.1' }] }, 404, 'PEER_NOT_FOUND', 'switch_members'],
    ['a member without an id', { switch_members: [{ name: 'x' }] }, 400, 'REQUEST_INVALID', 'switch_members[0].id'],
    ['an unknown group', { switch_members: undefined, switch_group: { id: 'west' } }, 400, 'REQUEST_INVALID', 'switch_group'],
    ['a group and members', { switch_group: { id: 'all' } }, 400, 'REQUEST_INVALID', 'switch_members'],
    ['a strange image server', { image_server: { id: '192.0.2.1' } }, 404, 'PEER_NOT_FOUND', 'image_server'],
    ['a type of no job', { job_type: 'LATER' }, 400, 'REQUEST_INVALID', 'job_type'],
    ['a time without a date', { job_type: 'SCHEDULED' }, 400, 'REQUEST_INVALID', 'scheduled_at'],
    ['a date of zero', { job_type: 'SCHEDULED', scheduled_at: 0 }, 400, 'REQUEST_INVALID', 'scheduled_at'],
    ['a date in milliseconds', { job_type: 'SCHEDULED', scheduled_at: Date.now() }, 400, 'REQUEST_INVALID', 'scheduled_at'],
    ['a date that is none', { scheduled_at: Number.MAX_SAFE_INTEGER }, 400, 'REQUEST_INVALID', 'scheduled_at'],
    ['a date for what begins now', { job_type: 'NOW', scheduled_at: 5 }, 400, 'REQUEST_INVALID', 'scheduled_at'],
    ['an empty version', { os_image_version: '' }, 400, 'REQUEST_INVALID', 'os_image_version'],
    ['no members at once', { max_concurrent: 0 }, 400, 'REQUEST_INVALID', 'max_concurrent'],
    ['too many at once', { max_concurrent: 1000 }, 400, 'REQUEST_INVALID', 'max_concurrent'],
    ['a canary that is none', { canary: 'yes' }, 400, 'REQUEST_INVALID', 'canary'],
  ])('with %s makes no job', async (_, more, status, id, field) => {
    const before = json<{ data: object[] }>(await ask('GET', JOBS)).data.length;
    expect(faultOf(await ask('POST', JOBS, typeof more === 'string' ? more : draft(more)))).toEqual([status, id, field]);
    expect(json<{ data: object[] }>(await ask('GET', JOBS)).data).toHaveLength(before);
  });

  it.each<[object, string]>([
    [{}, 'job_type'],
    [{ job_type: 'NOT_SET' }, 'job_type'],
    [{ job_type: 'SOON' }, 'job_type'],
    [{ job_type: 'SCHEDULED' }, 'scheduled_at'],
    [{ job_type: 'SCHEDULED', scheduled_at: '5' }, 'scheduled_at'],
    [{ job_type: 'SCHEDULED', scheduled_at: Math.floor(Date.now() / 1000) - HOUR }, 'scheduled_at'],
    [{ job_type: 'SCHEDULED', scheduled_at: Date.now() }, 'scheduled_at'],
    [{ job_type: 'NOW', scheduled_at: 5 }, 'scheduled_at'],
  ])('to deploy with %j leaves the job as it was', async (body, field) => {
    const id = await allowed();
    expect(faultOf(await ask('POST', `${JOBS}/${id}/deploy`, body))).toEqual([400, 'REQUEST_INVALID', field]);
    expect((await jobOf(id))['job_state']).toBe('APPROVED');
    await ask('DELETE', `${JOBS}/${id}`);
  });

  it.each([
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/approve'],
    ['POST', '/deploy'],
    ['POST', '/status'],
  ])('about a job that is not there is 404 (%s …%s)', async (method, path) => {
    expect(faultOf(await ask(method, `${JOBS}/none${path}`))).toEqual([404, 'UPDATE_JOB_NOT_FOUND', '']);
  });

  it('of a reader changes nothing', async () => {
    const id = await made();
    for (const [method, path, body] of [
      ['POST', '', draft()],
      ['POST', `/${id}/approve`, undefined],
      ['POST', `/${id}/deploy`, { job_type: 'NOW' }],
      ['DELETE', `/${id}`, undefined],
    ] as const)
      expect(faultOf(await ask(method, JOBS + path, body, 'reader'))).toEqual([403, 'RIGHT_MISSING', '']);
    expect((await jobOf(id))['job_state']).toBe('DRAFT');
  });
});
