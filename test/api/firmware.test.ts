/** The repository's API as its clients call it: raw HTTP. */
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Artifacts } from '../../src/task/artifacts.js';
import { Repository } from '../../src/update/repository.js';
import { FakeEngine } from '../export/fakes.js';
import { tool } from '../bundle/packages.js';
import { temporaryFolder } from '../support/temporary.js';
import { somePackage } from '../update/some-package.js';
import { faultOf, FirmwareProbe, json, ROOT, type AskAs, type Status } from './firmware-probe.js';
import { TestProbe } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const folder = temporaryFolder();
let probe: FirmwareProbe;
beforeAll(async () => void (probe = await FirmwareProbe.start()));
afterAll(() => probe.probe.stop());
afterEach(() => void vi.restoreAllMocks());

/** Packages can not be read until `open` is called; one is asked for when `asked` resolves. */
function hold(): { open: () => void; asked: Promise<void> } {
  let open = (): void => undefined;
  let ask = (): void => undefined;
  const asked = new Promise<void>((resolve) => (ask = resolve));
  const gate = new Promise<void>((resolve) => (open = resolve));
  const { bytes } = Repository.prototype;
  vi.spyOn(Repository.prototype, 'bytes').mockImplementation(async function* (this: Repository, id) {
    ask();
    await gate;
    yield* bytes.call(this, id);
  });
  return { open: () => open(), asked };
}

describe('an export', () => {
  it.each([
    ['filetypes=all', { fixids: [] }, 2],
    ['filetypes=payloads', 'null', 2],
    ['filetype=all', {}, 2],
    ['filetypes=all', { fixids: null }, 2],
  ])('%s %j is begun, waited for and fetched', async (query, body, total) => {
    const taskid = await probe.begun(query, body);
    const told = await probe.ended(taskid);
    expect(told).toEqual({
      current: expect.stringMatching(/^repository\d{14}\.zip$/) as string,
      downloadednum: total,
      downloadedsize: told.totalsize,
      progress: 100,
      state: 'complete',
      taskIds: taskid,
      total,
      totalsize: told.totalsize,
      updates: [],
      errorMsg: { result: 'informational', messages: [{ id: 'FQXHMUP2500I', text: 'Repository operation completed successfully.' }] },
    });
    expect(await probe.status(taskid, 'taskType')).toEqual(told);
    expect(json(await probe.ask(`/tasks/${taskid}`, { as: 'reader' }))).toEqual(told);
    for (const words of ['action=export', 'key=export']) {
      const answer = await probe.ask(`${ROOT}?${words}&exportRepoFilename=${told.current}`, { as: 'reader' });
      expect([answer.status, answer.headers['content-type'], answer.headers['content-disposition']]).toEqual([
        200,
        'application/zip',
        `attachment; filename=${told.current}`,
      ]);
      expect([answer.body.length, Number(answer.headers['content-length'])]).toEqual([told.totalsize, told.totalsize]);
      expect(execFileSync('unzip', ['-t', folder.write('a.zip', answer.body)], { encoding: 'utf8' })).toContain('No errors detected');
    }
  });

  it('of some packages holds those, also without a body and its type', async () => {
    const one = await probe.ended(await probe.begun('filetypes=payloads', { fixids: [probe.ids[1]] }));
    const zip = await probe.ask(`${ROOT}?action=export&exportRepoFilename=${one.current}`);
    const listed = tool('unzip', '-Z1', folder.write('b.zip', zip.body)).out;
    expect([one.total, listed]).toEqual([1, `spillway-0.2.0-linux-x64-${probe.ids[1]}.tar.gz\n`]);
    const bare = await probe.ask(`${ROOT}?action=export&filetypes=all`, { method: 'PUT' });
    expect((await probe.ended(json<{ taskid: string }>(bare).taskid)).total).toBe(2);
  });

  it('is resumed where its download was cut', async () => {
    const { current } = await probe.ended(await probe.begun());
    const path = `${ROOT}?action=export&exportRepoFilename=${current}`;
    const whole = await probe.ask(path);
    const headers = { range: 'bytes=100-', 'if-range': whole.headers.etag };
    const rest = await probe.ask(path, { headers });
    expect([rest.status, rest.body.equals(whole.body.subarray(100))]).toEqual([206, true]);
    expect(faultOf(await probe.ask(path, { headers: { range: 'bytes=9999999-' } }))[0]).toBe(416);
  });

  it('that runs is told as running, alone and among others, and cancelled', async () => {
    const { open, asked } = hold();
    expect(await probe.status('0')).toEqual([]);
    const first = await probe.begun();
    await asked;
    const told = await probe.status(first);
    expect(told).toMatchObject({ progress: 50, state: 'running', downloadednum: 0, total: 2, errorMsg: { result: 'success', messages: [] } });
    expect(told.downloadedsize).toBeLessThan(told.totalsize);
    expect(await probe.status('0')).toEqual(told);
    expect(faultOf(await probe.put(`${ROOT}?action=export&filetypes=all`, { fixids: [...probe.ids].reverse() }))).toEqual([409, 'TASK_RUNNING']);
    expect(faultOf(await probe.ask(`${ROOT}?action=export&exportRepoFilename=${told.current}`))).toEqual([409, 'TASK_STATE']);
    const second = await probe.begun('filetypes=payloads');
    expect((await probe.status('0')) as unknown as Status[]).toMatchObject([
      { taskIds: first, progress: 50 },
      { taskIds: second, progress: 0, state: 'running' },
    ]);
    const cancelled = await probe.ask(`/tasks/${second}`, { method: 'DELETE' });
    expect([cancelled.status, json(cancelled)]).toEqual([200, await probe.status(second)]);
    expect(await probe.status(second)).toMatchObject({
      progress: 100,
      state: 'canceled',
      downloadednum: 0,
      errorMsg: { result: 'informational', messages: [{ id: 'CANCELLED' }] },
    });
    const both = await probe.begun('filetypes=payloads', { fixids: [probe.ids[0]] });
    const third = await probe.begun('filetypes=payloads', { fixids: [probe.ids[1]] });
    const fourth = await probe.begun('filetypes=all', { fixids: [probe.ids[1]] });
    expect(faultOf(await probe.put(`${ROOT}?action=export&filetypes=payloads`, 'null'))).toEqual([409, 'TOO_MANY_TASKS']);
    expect((await probe.ask(`/tasks/${first}`, { method: 'DELETE' })).status).toBe(200);
    expect(await probe.status(first)).toMatchObject({ progress: 100, state: 'canceled' });
    open();
    for (const each of [both, third, fourth]) expect((await probe.ended(each)).state).toBe('complete');
  });

  it('that has no room is refused', async () => {
    vi.spyOn(Artifacts.prototype, 'freeBytes', 'get').mockReturnValue(-(2 ** 40));
    expect(faultOf(await probe.put(`${ROOT}?action=export&filetypes=all`, 'null'))).toEqual([409, 'TASK_QUOTA']);
  });

  it('that fails says why', async () => {
    vi.spyOn(Repository.prototype, 'bytes').mockImplementation(async function* () {
      yield Buffer.from('too short');
    });
    const told = await probe.ended(await probe.begun());
    expect(told).toMatchObject({
      progress: 100,
      state: 'error',
      downloadednum: 0,
      errorMsg: { result: 'failure', messages: [{ id: 'FILE_CHANGED', text: expect.stringMatching(/\S/) as string }] },
    });
    expect(faultOf(await probe.ask(`${ROOT}?action=export&exportRepoFilename=${told.current}`))).toEqual([409, 'TASK_STATE']);
  });

  it('that has ended is deleted with its ZIP', async () => {
    const taskid = await probe.begun();
    const { current } = await probe.ended(taskid);
    expect((await probe.ask(`/tasks/${taskid}`, { method: 'DELETE', headers: { 'content-type': 'application/json' } })).status).toBe(200);
    expect(faultOf(await probe.ask(`/tasks/${taskid}`))).toEqual([404, 'TASK_NOT_FOUND']);
    expect(faultOf(await probe.ask(`/tasks/${taskid}`, { method: 'DELETE' }))).toEqual([404, 'TASK_NOT_FOUND']);
    expect(faultOf(await probe.ask(`${ROOT}?action=export&exportRepoFilename=${current}`))).toEqual([400, 'REQUEST_INVALID']);
  });
});

describe('an import', () => {
  it('takes what was exported, and a file of the probe', async () => {
    const { current } = await probe.ended(await probe.begun());
    const zip = await probe.ask(`${ROOT}?action=export&exportRepoFilename=${current}`);
    const other = await TestProbe.start(new FakeEngine().prepare);
    try {
      const answer = await other.ask(`${ROOT}?action=import`, { method: 'POST', body: zip.body, headers: { 'content-type': 'application/zip' } });
      expect([answer.status, json(answer)]).toEqual([
        200,
        {
          ...json<object>(await probe.ask(ROOT)),
          errorMsg: { result: 'informational', messages: [expect.objectContaining({ id: 'FQXHMUP2500I' })] },
        },
      ]);
      const body = await somePackage({ version: '0.7.0' });
      await other.ask('/api/npm.filesystem/1.0/fs/admin', { method: 'POST', body, headers: { 'content-disposition': 'a.tar.gz' } });
      const named = await other.ask(`${ROOT}?action=import`, { method: 'POST', body: { path: 'fs/admin/a.tar.gz' } });
      expect(json<{ updates: object[] }>(named).updates).toMatchObject([{ version: '0.7.0', size: body.length }]);
      expect(json<{ updates: object[] }>(await other.ask(`${ROOT}?key=updates`)).updates).toHaveLength(3);
    } finally {
      await other.stop();
    }
  });

  it.each<[string, AskAs, number, string]>([
    ['no package', { body: 'hello' }, 400, 'PACKAGE_INVALID'],
    ['nothing', {}, 400, 'PACKAGE_INVALID'],
    ['a path that leads nowhere', { body: { path: 'fs/admin/none' } }, 404, 'FILE_NOT_FOUND'],
    ['a path that leads out', { body: { path: 'fs/admin/../../spillway.db' } }, 400, 'FILE_NAME_INVALID'],
    ['another path', { body: { path: '/etc/passwd' } }, 400, 'REQUEST_INVALID'],
    ['no path', { body: {} }, 400, 'REQUEST_INVALID'],
    ['half of JSON', { body: '{', headers: { 'content-type': 'application/json' } }, 400, 'REQUEST_INVALID'],
    ['a stray member', { body: { path: 'fs/a/b', force: true } }, 400, 'REQUEST_INVALID'],
  ])('refuses %s', async (_, given, ...wanted) => {
    expect(faultOf(await probe.ask(`${ROOT}?action=import`, { method: 'POST', as: 'admin', ...given }))).toEqual(wanted);
  });
});

describe('400', () => {
  it.each([
    ['PUT', '?filetypes=all'],
    ['PUT', '?action=refresh&filetypes=all'],
    ['PUT', '?action=export'],
    ['PUT', '?action=export&filetypes=none'],
    ['PUT', '?action=export&filetypes=all&filetypes=payloads'],
    ['GET', '?action=read'],
    ['GET', '?key=size'],
    ['GET', '?action=export'],
    ['GET', '?key=export'],
    ['GET', '?action=export&exportRepoFilename=repository20181112011742.zip'],
    ['GET', '?action=export&exportRepoFilename=..%2F..%2Fspillway.db'],
    ['GET', '/status'],
    ['GET', '/status?taskid=1'],
    ['GET', '/status?tasktype=EXPORTREPOSITORY'],
    ['GET', '/status?tasktype=EXPORTREPOSITORY&taskid='],
    ['GET', '/status?tasktype=EXPORTREPOSITORY&taskid=-1'],
    ['GET', '/status?tasktype=EXPORTREPOSITORY&taskid=1e3'],
    ['GET', '/status?tasktype=EXPORTREPOSITORY&taskid=12'],
    ['GET', '/status?tasktype=EXPORTREPOSITORY&taskid=12&taskid=13'],
    ['GET', '/status?tasktype=IMPORTREPOSITORY&taskid=0'],
    ['GET', '/status?tasktype=EXPORTREPOSITORY&taskType=other&taskid=0'],
    ['POST', ''],
    ['POST', '?action=export'],
  ])('%s %s', async (method, path) => {
    expect(faultOf(await probe.ask(ROOT + path, { method }))).toEqual([400, 'REQUEST_INVALID']);
  });

  it.each([
    '{',
    '[]',
    '7',
    '"all"',
    { fixids: ['none'] },
    { fixids: ['../x'] },
    { fixids: [1] },
    { fixids: 'all' },
    { fixids: {} },
    { ids: [] },
    `{"fixids":${'['.repeat(1000)}`,
  ])('for the body %j', async (body) => {
    expect(faultOf(await probe.put(`${ROOT}?action=export&filetypes=all`, body))).toEqual([400, 'REQUEST_INVALID']);
  });

  it('for a body of another type', async () => {
    const given = { method: 'PUT', body: 'fixids=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect(faultOf(await probe.ask(`${ROOT}?action=export&filetypes=all`, given))).toEqual([400, 'MEDIA_TYPE_UNSUPPORTED']);
  });
});

describe('rights', () => {
  it('of a reader are to read; without a login nothing is told', async () => {
    for (const [method, path] of [
      ['PUT', `${ROOT}?action=export&filetypes=all`],
      ['POST', `${ROOT}?action=import`],
      ['DELETE', '/tasks/12'],
    ] as const) {
      expect(faultOf(await probe.ask(path, { method, as: 'reader' }))).toEqual([403, 'RIGHT_MISSING']);
      expect(faultOf(await probe.ask(path, { method, as: null }))).toEqual([401, 'AUTH_REQUIRED']);
    }
    expect(faultOf(await probe.ask(ROOT, { as: null }))).toEqual([401, 'AUTH_REQUIRED']);
    expect((await probe.ask(ROOT, { as: null })).headers['www-authenticate']).toMatch(/^Basic /);
  });

  it('are not asked for by who only looks whether somebody is there', async () => {
    const answer = await probe.ask('/aicc', { as: null });
    expect([answer.status, json(answer)]).toEqual([200, { model: 'Spillway', version: expect.any(String) as string }]);
  });

  it('and methods, in the words of this API and of no other', async () => {
    expect(faultOf(await probe.ask(ROOT, { method: 'DELETE' }))).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(faultOf(await probe.ask(`${ROOT}/none`))).toEqual([404, 'ROUTE_NOT_FOUND']);
    for (const path of ['/', '/sessionsandmore', '/none'])
      expect(Object.keys(json<object>(await probe.ask(path)))).toEqual(['error_id', 'error_text']);
  });
});

it('who did what is in the audit', async () => {
  const { items } = json<{ items: { who: string; action: string; what: string; bytes?: number }[] }>(
    await probe.ask('/api/spillway.admin/1.0/audit?limit=1000', { as: 'admin' }),
  );
  for (const action of ['firmware.export', 'firmware.import', 'firmware.download', 'task.cancel', 'login'])
    expect(items.map((each) => each.action)).toContain(action);
  const fetched = items.find(({ action }) => action === 'firmware.download')!;
  expect([fetched.what, fetched.bytes! > 0]).toEqual([expect.stringMatching(/^repository\d{14}\.zip$/), true]);
});
