/** Support packages: raw HTTP as clients send it, over devices whose packages the test gives. */
import { execFileSync } from 'node:child_process';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { temporaryFolder } from '../support/temporary.js';
import { Faces } from './faces.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const folder = temporaryFolder();
let faces: Faces;
const HEX = /^[0-9a-f]{24}$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

function ask(method: string, path: string, body?: unknown, user: string | null = 'operator', more: Record<string, string> = {}): Promise<Answer> {
  const authorization = `Basic ${Buffer.from(`${user}:pw of ${user}`).toString('base64')}`;
  const content = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  const headers = {
    ...(user !== null && { authorization }),
    ...(content !== '' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
    ...more,
  };
  return new Promise((resolve, reject) => {
    const asked = request({ port: faces.port, method, path: `/nmx/v1${path}`, headers, agent: false }, (answer) => {
      textOf(answer.setEncoding('latin1')).then((text) => resolve({ status: answer.statusCode!, headers: answer.headers, body: text }), reject);
    });
    asked.once('error', reject).end(content);
  });
}
const json = <T>({ body }: Answer): T => JSON.parse(body) as T;

/** Every error is exactly this. */
function faultOf(answer: Answer): [number, string] {
  const { httpErrorCode, customErrorCode, description, ...rest } = json<Record<string, unknown>>(answer);
  expect(rest).toEqual({});
  expect(httpErrorCode).toBe(answer.status);
  expect(description).toMatch(/\S/);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  return [answer.status, String(customErrorCode)];
}

interface Operation {
  ID: string;
  Status: string;
  Percentage: number;
  Request: { Method: string; URI: string; Body: unknown; Cancellable: boolean };
  Result?: {
    Data: { packages: { fileID: string; filename: string; switchAddress: string }[]; failures: object[] };
    Error?: string;
    Details?: string;
  };
}

async function begun(addresses: string[], more: object = {}): Promise<string> {
  const answer = await ask('POST', '/support-packages', { Switches: addresses.map((Address) => ({ Address })), ...more });
  expect(answer.status).toBe(202);
  const { operationId, ...rest } = json<{ operationId: string }>(answer);
  expect([HEX.test(operationId), rest, answer.headers.location]).toEqual([true, {}, `/nmx/v1/operations/${operationId}`]);
  return operationId;
}

async function ended(id: string): Promise<Answer> {
  await faces.tasks.ended(id);
  return ask('GET', `/operations/${id}`, undefined, 'reader');
}

beforeAll(async () => {
  faces = await Faces.open();
  for (const role of ['admin', 'operator', 'reader'] as const) await faces.users.add(role, role);
  faces.devices.add('::9');
});
afterAll(() => faces.close());

describe('a support package', () => {
  it('is collected, listed, downloaded, and deleted', async () => {
    const id = await begun(['localhost']);
    const answer = await ended(id);
    const operation = json<Operation>(answer);
    expect(Object.keys(operation)).toEqual(['ID', 'CreatedAt', 'UpdatedAt', 'Status', 'Percentage', 'CurrentStep', 'Request', 'Result']);
    expect(operation).toMatchObject({
      ID: id,
      CreatedAt: expect.stringMatching(RFC3339) as string,
      UpdatedAt: expect.stringMatching(RFC3339) as string,
      Status: 'completed',
      Percentage: 100,
      Request: { Method: 'post', URI: '/nmx/v1/support-packages', Body: { Switches: [{ Address: 'localhost' }] }, Cancellable: false },
    });
    const [made] = operation.Result!.Data.packages;
    expect(operation.Result).toEqual({ Data: { packages: [made], failures: [] } });
    expect(answer.headers.location).toBe(`/nmx/v1/support-packages/${made!.fileID}`);
    const list = json<Record<string, unknown>[]>(await ask('GET', '/support-packages', undefined, 'reader'));
    const listed = list.find(({ fileID }) => fileID === made!.fileID)!;
    expect(listed).toEqual({
      fileID: expect.stringMatching(HEX) as string,
      filename: expect.stringMatching(/^support-logs-\d{4}-\d\d-\d\d-localhost\.tar\.gz$/) as string,
      size: expect.any(Number) as number,
      uploadDate: expect.stringMatching(RFC3339) as string,
      switchAddress: 'localhost',
    });
    const path = `/support-packages/${made!.fileID}`;
    const whole = await ask('GET', path, undefined, 'reader');
    expect([whole.status, whole.headers['content-type'], whole.body.length]).toEqual([200, 'application/octet-stream', listed['size']]);
    expect(whole.headers['content-disposition']).toContain(`filename="${made!.filename}"`);
    folder.write('a.tar.gz', Buffer.from(whole.body, 'latin1'));
    expect(execFileSync('tar', ['tzf', join(folder.path, 'a.tar.gz')], { encoding: 'utf8' })).toContain('manifest.json');
    const part = await ask('GET', path, undefined, 'reader', { range: 'bytes=5-14' });
    expect([part.status, part.body]).toEqual([206, whole.body.slice(5, 15)]);
    expect(faultOf(await ask('GET', path, undefined, 'reader', { range: 'bytes=99999999-' }))[0]).toBe(416);
    expect(await ask('DELETE', path)).toMatchObject({ status: 204, body: '' });
    for (const method of ['GET', 'DELETE']) expect(faultOf(await ask(method, path))).toEqual([404, 'artifact-not-found']);
  });

  it('of some devices may fail, and those of the others are there', async () => {
    faces.devices.add('::a', () => Promise.reject(new SpillwayError('PEER_UNREACHABLE', 'the probe ::a does not answer')));
    const id = await begun(['::a', '::9', 'localhost']);
    const answer = await ended(id);
    const { Status, Result } = json<Operation>(answer);
    expect([Status, Result!.Data.packages.map(({ switchAddress }) => switchAddress).sort()]).toEqual(['completed', ['::9', 'localhost']]);
    expect(Result!.Data.failures).toEqual([
      { switchAddress: '::a', customErrorCode: 'peer-unreachable', description: 'the probe ::a does not answer' },
    ]);
    // There are two: it leads to neither.
    expect(answer.headers.location).toBeUndefined();
  });

  it('that no device gives is a failure', async () => {
    faces.devices.add('::b', () => Promise.reject(new SpillwayError('PEER_FAILED', 'the probe ::b sends rubbish')));
    const { Status, Result } = json<Operation>(await ended(await begun(['::b'])));
    expect([Status, Result!.Data.packages, Result!.Error]).toEqual(['failed', [], 'peer-failed']);
    expect(Result!.Details).toContain('rubbish');
  });

  it('whose download is cut can be fetched again, whole or from there', async () => {
    const large = Buffer.alloc(24 << 20, 'large');
    faces.devices.add('::c', async ({ sink }) => sink.write(large));
    const { Result } = json<Operation>(await ended(await begun(['::c'])));
    const path = `/nmx/v1/support-packages/${Result!.Data.packages[0]!.fileID}`;
    const authorization = `Basic ${Buffer.from('reader:pw of reader').toString('base64')}`;
    await new Promise<void>((resolve, reject) => {
      const socket = connect(faces.port, '127.0.0.1').once('error', reject);
      socket.once('close', () => resolve()).once('data', () => socket.resetAndDestroy());
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`);
    });
    const rest = await ask('GET', path.slice('/nmx/v1'.length), undefined, 'reader', { range: 'bytes=1000-' });
    expect([rest.status, Buffer.from(rest.body, 'latin1').equals(large.subarray(1000))]).toEqual([206, true]);
  });

  it.each<[string, unknown]>([
    ['no body', undefined],
    ['no JSON', '{'],
    ['a list', []],
    ['no Switches', {}],
    ['empty Switches', { Switches: [] }],
    ['Switches that are no list', { Switches: {} }],
    ['a device without an address', { Switches: [{}] }],
    ['an empty address', { Switches: [{ Address: '' }] }],
    ['a number for an address', { Switches: [{ Address: 1 }] }],
    ['Domains', { Domains: ['x'], Switches: [{ Address: 'localhost' }] }],
    ['Domains alone', { Domains: ['x'] }],
    ['an address that is not configured', { Switches: [{ Address: '10.0.0.1' }] }],
    ['one such address among others', { Switches: [{ Address: 'localhost' }, { Address: '169.254.169.254' }] }],
    ['a profile that is not there', { ProfileID: '0'.repeat(24), Switches: [{ Address: 'localhost' }] }],
    ['such a profile of one device', { Switches: [{ Address: 'localhost', ProfileID: 'x' }] }],
    ['a stray member', { Switches: [{ Address: 'localhost', Port: 1 }] }],
    ['more devices than there may be', { Switches: Array.from({ length: 257 }, () => ({ Address: 'localhost' })) }],
  ])('is refused for %s', async (_, body) => {
    expect(faultOf(await ask('POST', '/support-packages', body))).toEqual([400, 'invalid-request']);
  });

  it('is refused while one is collected from there, and where an address comes twice', async () => {
    expect(faultOf(await ask('POST', '/support-packages', { Switches: [{ Address: '::9' }, { Address: '::9' }] }))).toEqual([409, 'task-running']);
    faces.devices.shut();
    const id = await begun(['localhost']);
    expect(faultOf(await ask('POST', '/support-packages', { Switches: [{ Address: 'localhost' }] }))).toEqual([409, 'task-running']);
    await ended(await begun(['::9']));
    faces.devices.open();
    await ended(id);
    await ended(await begun(['localhost']));
  });
});

describe('an operation', () => {
  it('is cancelled while it can be', async () => {
    faces.devices.shut();
    const id = await begun(['localhost']);
    expect(json<Operation>(await ask('GET', `/operations/${id}`))).toMatchObject({ Status: 'in-progress', Request: { Cancellable: true } });
    const cancelled = await ask('DELETE', `/operations/${id}`);
    expect([cancelled.status, json(cancelled)]).toEqual([202, { operationId: id }]);
    expect(json<Operation>(await ended(id))).toMatchObject({ Status: 'cancelled', Request: { Cancellable: false } });
    expect(faultOf(await ask('DELETE', `/operations/${id}`))).toEqual([409, 'task-state']);
    faces.devices.open();
  });

  it('is listed', async () => {
    const id = await begun(['::9']);
    await ended(id);
    const all = json<Operation[]>(await ask('GET', '/operations', undefined, 'reader'));
    expect(all.at(-1)).toEqual(json(await ask('GET', `/operations/${id}`)));
  });

  it.each(['GET', 'DELETE'])('that is not there is 404 (%s)', async (method) => {
    for (const id of ['0'.repeat(24), 'x', '%2e%2e', "'"]) expect(faultOf(await ask(method, `/operations/${id}`))).toEqual([404, 'task-not-found']);
  });
});

describe('profiles', () => {
  it('are added, listed without their password, and removed', async () => {
    const made = await ask('POST', '/profiles', { name: 'north', username: 'probe', password: 'a secret of north', default: true });
    const profile = json<{ id: string }>(made);
    expect([made.status, made.headers.location, profile]).toEqual([
      201,
      `/nmx/v1/profiles/${profile.id}`,
      { id: expect.stringMatching(HEX) as string, name: 'north', username: 'probe', default: true },
    ]);
    const listed = await ask('GET', '/profiles', undefined, 'reader');
    expect(json(listed)).toEqual([profile]);
    expect(made.body + listed.body).not.toContain('secret');
    await ended(await begun(['::9'], { ProfileID: profile.id }));
    expect((await ask('DELETE', `/profiles/${profile.id}`)).status).toBe(204);
    expect(faultOf(await ask('DELETE', `/profiles/${profile.id}`))).toEqual([404, 'profile-not-found']);
  });

  it.each<[string, object]>([
    ['no name', { username: 'u', password: 'a long password' }],
    ['no user', { name: 'n', password: 'a long password' }],
    ['no password', { name: 'n', username: 'u' }],
    ['a stray member', { name: 'n', username: 'u', password: 'a long password', id: 'x' }],
    ['a control character', { name: 'n\n', username: 'u', password: 'a long password' }],
  ])('are refused with %s', async (_, body) => {
    expect(faultOf(await ask('POST', '/profiles', body))).toEqual([400, 'invalid-request']);
  });
});

describe('rights', () => {
  it('of a reader are to read', async () => {
    for (const [method, path, body] of [
      ['POST', '/support-packages', { Switches: [{ Address: 'localhost' }] }],
      ['DELETE', `/support-packages/${'0'.repeat(24)}`, undefined],
      ['DELETE', `/operations/${'0'.repeat(24)}`, undefined],
      ['POST', '/profiles', { name: 'n', username: 'u', password: 'a long password' }],
      ['DELETE', `/profiles/${'0'.repeat(24)}`, undefined],
    ] as const) {
      expect(faultOf(await ask(method, path, body, 'reader'))).toEqual([403, 'right-missing']);
      expect(faultOf(await ask(method, path, body, null))).toEqual([401, 'auth-required']);
      expect(faultOf(await ask(method, path, body, 'nobody'))).toEqual([401, 'auth-invalid-credentials']);
    }
    expect((await ask('GET', '/operations', undefined, null)).headers['www-authenticate']).toMatch(/^Basic /);
  });

  it('is not asked for where nothing is', async () => {
    expect(faultOf(await ask('GET', '/no-such-thing'))).toEqual([404, 'route-not-found']);
    expect(faultOf(await ask('PUT', '/support-packages'))[0]).toBe(405);
  });
});
