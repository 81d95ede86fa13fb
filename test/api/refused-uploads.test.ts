/** Large bodies that are refused, from clients that close the connection behind the answer: they send everything first. */
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { FakeEngine } from '../export/fakes.js';
import { basic, TestProbe } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

let probe: TestProbe;
const logins: Record<string, { authorization: string }> = { nobody: basic('nobody', 'wrong') };

beforeAll(async () => {
  probe = await TestProbe.start(new FakeEngine().prepare);
  for (const role of ['operator', 'reader'] as const) logins[role] = await probe.addUser(role, role);
});
afterAll(() => probe.stop());

/** More than sockets hold. */
const BODY = Buffer.alloc(32 << 20, 'x');
const PACKAGES = '/api/spillway.update/1.0/packages';

/** Looks at what comes back when everything is sent, and not before. */
async function refusal(path: string, as: string): Promise<string> {
  const socket = connect(probe.port, '127.0.0.1');
  const headers = {
    host: as === 'stranger' ? 'elsewhere' : 'localhost',
    ...logins[as],
    'content-type': 'application/octet-stream',
    'content-length': BODY.length,
    connection: 'close',
  };
  const head = [`POST ${path} HTTP/1.1`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  const send = promisify<string | Buffer, void>((bytes, sent) => void socket.write(bytes, (error) => sent(error ?? null)));
  await send(head);
  await send(BODY);
  return Buffer.concat((await socket.toArray()) as Buffer[]).toString();
}

it.each([
  ['operator', PACKAGES, 400, 'PACKAGE_INVALID'],
  ['operator', '/updateRepositories/firmware?action=import', 400, 'PACKAGE_INVALID'],
  ['operator', '/updateRepositories/firmware?action=other', 400, 'REQUEST_INVALID'],
  ['operator', '/api/npm.filesystem/1.0/fs/..%2Fx', 400, 'FILE_NAME_INVALID'],
  ['reader', PACKAGES, 403, 'RIGHT_MISSING'],
  ['stranger', PACKAGES, 403, 'HOST_FORBIDDEN'],
  ['operator', '/nothing/here', 404, 'NOT_FOUND'],
  ['operator', '/api/npm.packet_export/1.3/exports', 415, 'MEDIA_TYPE_UNSUPPORTED'],
  ['nobody', PACKAGES, 401, 'AUTH_INVALID_CREDENTIALS'],
])('%s sends to %s and reads %i', async (as, path, status, code) => {
  const answer = await refusal(path, as);
  expect([answer.split(' ', 2)[1], answer]).toEqual([String(status), expect.stringContaining(code)]);
});
