/** `spillway.update`: packages and keys, raw HTTP. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { UpdateKeyTable } from '../../src/state/updates.js';
import { UPDATE_LIMITS } from '../../src/update/limits.js';
import { FakeEngine } from '../export/fakes.js';
import { keyPair, somePackage } from '../update/some-package.js';
import { errorOf, TestProbe, type Answer, type Ask } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const ROOT = '/api/spillway.update/1.0';
let probe: TestProbe;
const users: Record<string, { authorization: string }> = {};

interface Package {
  id: string;
  name: string;
  sha256: string;
  bytes: number;
}

const json = <T>({ body }: Answer): T => JSON.parse(body.toString()) as T;
const ask = (path: string, { as = 'operator', headers, ...rest }: Ask & { as?: string } = {}): Promise<Answer> =>
  probe.ask(ROOT + path, { ...rest, headers: { ...users[as], ...headers } });
const imported = (body: Buffer): Promise<Answer> => ask('/packages', { body, headers: { 'content-type': 'application/gzip' } });
const refusal = (answer: Answer): [number, string] => [answer.status, errorOf(answer).error_id];
const files = (): string[] => readdirSync(join(probe.data.path, 'updates', 'repository'));

beforeAll(async () => {
  probe = await TestProbe.start(new FakeEngine().prepare);
  for (const role of ['admin', 'operator', 'reader'] as const) users[role] = await probe.addUser(role, role);
});
afterAll(() => probe.stop());

describe('a package', () => {
  it('is imported, listed, shown, fetched and deleted', async () => {
    const file = await somePackage({ version: '0.3.0', createdMs: 1500 });
    const answer = await imported(file);
    const { items } = json<{ items: Package[] }>(answer);
    const { id, sha256 } = items[0]!;
    expect([answer.status, answer.headers.location]).toEqual([201, `${ROOT}/packages/items/${id}`]);
    expect(items).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
        name: `spillway-0.3.0-linux-x64-${id}.tar.gz`,
        version: '0.3.0',
        platform: 'linux',
        architecture: 'x64',
        node: '>=20',
        bytes: file.length,
        sha256: createHash('sha256').update(file).digest('hex'),
        signer: null,
        made: '1.500000000',
        imported: expect.stringMatching(/^\d{10}\.\d{9}$/) as string,
      },
    ]);
    const again = await imported(file);
    expect([again.status, json(again)]).toEqual([200, { items }]);
    expect(json(await ask('/packages', { as: 'reader' }))).toEqual({ items });
    expect(json(await ask(`/packages/items/${id}`, { as: 'reader' }))).toEqual(items[0]);
    const path = `/packages/items/${id}/file`;
    const whole = await ask(path, { as: 'reader' });
    expect([whole.status, whole.body.equals(file), whole.headers.etag, whole.headers['content-type']]).toEqual([
      200,
      true,
      `"${sha256}"`,
      'application/gzip',
    ]);
    expect(Number(whole.headers['content-length'])).toBe(file.length);
    expect(whole.headers['content-disposition']).toBe(`attachment; filename=${items[0]!.name}`);
    const rest = await ask(path, { as: 'reader', headers: { range: 'bytes=100-', 'if-range': whole.headers.etag } });
    expect([rest.status, rest.body.equals(file.subarray(100))]).toEqual([206, true]);
    expect(refusal(await ask(path, { headers: { range: 'bytes=9999999-' } }))).toEqual([416, 'RANGE_INVALID']);
    expect((await ask(`/packages/items/${id}`, { method: 'DELETE' })).status).toBe(204);
    for (const [method, gone] of [
      ['DELETE', `/packages/items/${id}`],
      ['GET', `/packages/items/${id}`],
      ['GET', path],
    ] as const)
      expect(refusal(await ask(gone, { method }))).toEqual([404, 'PACKAGE_NOT_FOUND']);
    expect(files()).toEqual([]);
  });

  it('that is cut on its way leaves nothing', async () => {
    const file = await somePackage({ content: Buffer.from(Array.from({ length: 1 << 20 }, () => Math.floor(Math.random() * 256))) });
    const head = `POST ${ROOT}/packages HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${users['operator']!.authorization}\r\nContent-Length: ${file.length}\r\n\r\n`;
    const socket = connect(probe.port, '127.0.0.1');
    socket.write(head);
    socket.write(file.subarray(0, file.length - 1000));
    await expect.poll(files).toHaveLength(1);
    socket.destroy();
    await expect.poll(files).toEqual([]);
    expect(json(await ask('/packages'))).toEqual({ items: [] });
    expect(await imported(file)).toMatchObject({ status: 201 });
  });

  it.each<[string, Ask, number, string]>([
    ['no package', { body: Buffer.from('hello') }, 400, 'PACKAGE_INVALID'],
    ['nothing', { method: 'POST' }, 400, 'PACKAGE_INVALID'],
    ['a path of nothing', { body: { path: 'fs/operator/none' } }, 404, 'FILE_NOT_FOUND'],
    ['a capture file', { body: { path: 'fs/admin/sample.pcap' } }, 400, 'PACKAGE_INVALID'],
    ['JSON that is too large', { body: { path: 'x'.repeat(20_000) } }, 413, 'BODY_TOO_LARGE'],
  ])('is not %s', async (_, given, ...wanted) => {
    expect(refusal(await ask('/packages', given))).toEqual(wanted);
  });

  it('is not taken from a file that the user may not read', async () => {
    users['narrow'] = await probe.addUser('narrow', 'operator', []);
    const body = { path: 'fs/admin/sample.pcap' };
    expect(refusal(await ask('/packages', { as: 'narrow', body }))).toEqual([404, 'FILE_NOT_FOUND']);
  });

  it.each([
    ['is refused before it comes', UPDATE_LIMITS.exportBytes + 1, 413, 'UPLOAD_TOO_LARGE'],
    ['may be the export of a full repository', UPDATE_LIMITS.exportBytes, 400, 'PACKAGE_INVALID'],
  ])('that is as large as this %s', async (_, bytes, status, wanted) => {
    const head = `POST ${ROOT}/packages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: ${users['operator']!.authorization}\r\nContent-Length: ${bytes}\r\n\r\n`;
    const socket = connect(probe.port, '127.0.0.1');
    socket.write(`${head}no package`);
    const said = await new Promise<string>((resolve) => socket.once('data', (data: Buffer) => resolve(data.toString())));
    socket.destroy();
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*${wanted}`));
  });
});

describe('keys', () => {
  it('are added, listed and removed, and decide what is taken', async () => {
    const { key, pem } = keyPair();
    const answer = await ask('/keys', { as: 'admin', body: { name: 'ours', pem } });
    const made = json<{ fingerprint: string }>(answer);
    const self = `/keys/items/${made.fingerprint}`;
    expect([answer.status, answer.headers.location, made]).toEqual([
      201,
      ROOT + self,
      { fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string, name: 'ours', pem, added: expect.any(String) as string },
    ]);
    expect(json(await ask('/keys', { as: 'admin' }))).toEqual({ items: [made] });
    expect(refusal(await ask('/keys', { as: 'admin', body: { name: 'again', pem } }))).toEqual([409, 'KEY_EXISTS']);
    expect(refusal(await imported(await somePackage({ version: '0.8.0' })))).toEqual([400, 'PACKAGE_UNSIGNED']);
    const signed = await imported(await somePackage({ version: '0.8.0', key }));
    expect(json<{ items: object[] }>(signed).items).toMatchObject([{ signer: made.fingerprint }]);
    expect((await ask(self, { as: 'admin', method: 'DELETE' })).status).toBe(204);
    expect(refusal(await ask(self, { as: 'admin', method: 'DELETE' }))).toEqual([404, 'KEY_NOT_FOUND']);
  });

  it('are not added on a full disk, which is told', async () => {
    const add = vi.spyOn(UpdateKeyTable.prototype, 'add').mockImplementationOnce(() => {
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    });
    const body = { name: 'ours', pem: keyPair().pem };
    expect(refusal(await ask('/keys', { as: 'admin', body }))).toEqual([507, 'DISK_FULL']);
    add.mockRestore();
    expect(json(await ask('/keys', { as: 'admin' }))).toEqual({ items: [] });
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['a name', { name: 'x' }],
    ['a key without a name', { pem: 'x' }],
    ['a number', { name: 'x', pem: 1 }],
    ['more', { name: 'x', pem: 'x', more: 1 }],
    ['a key with an empty name', { name: '', pem: keyPair().pem }],
  ])('are not %s', async (_, body) => {
    expect(refusal(await ask('/keys', { as: 'admin', body }))).toEqual([400, 'REQUEST_INVALID']);
  });

  it('are not others', async () => {
    expect(refusal(await ask('/keys', { as: 'admin', body: { name: 'x', pem: 'x' } }))).toEqual([400, 'KEY_INVALID']);
    for (const as of ['reader', 'operator']) expect(refusal(await ask('/keys', { as }))).toEqual([403, 'RIGHT_MISSING']);
  });
});
