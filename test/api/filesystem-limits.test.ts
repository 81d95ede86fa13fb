/** Every limit of the file service, made small. */
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request, type ClientRequest } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../src/config.js';
import { until } from '../export/fakes.js';
import { FILES, FilesServer } from './filesystem-server.js';
import { errorOf } from './server.js';

vi.mock('../../src/config.js', async (original) => {
  const config = await original<typeof import('../../src/config.js')>();
  const small = {
    listedFiles: 20,
    fileDepth: 4,
    uploadBytes: 1 << 20,
    uploads: 2,
    uploadIdleMs: 300,
    activeChecksums: 3,
    keptChecksums: 5,
    knownFiles: 4,
  };
  return { ...config, LIMITS: { ...config.LIMITS, ...small } };
});

let server: FilesServer;
beforeEach(async () => void (server = await FilesServer.start()));
afterEach(() => server.stop());

/** An upload that has begun. */
async function begin(name: string): Promise<ClientRequest> {
  const headers = { 'content-disposition': name, 'transfer-encoding': 'chunked' };
  const asked = request({ host: '127.0.0.1', port: server.port, path: `${FILES}/fs/admin`, method: 'POST', headers, agent: false });
  asked.on('error', () => undefined);
  const before = server.names('admin').length;
  asked.write('x');
  await until(() => server.names('admin').length > before);
  return asked;
}

describe('a list', () => {
  it('says that it is too long', async () => {
    for (let i = 0; i < LIMITS.listedFiles - 1; i++) writeFileSync(join(server.folder, `admin/${i}`), 'x');
    expect((await server.ask('/fs')).status).toBe(200);
    mkdirSync(join(server.folder, 'admin/one'));
    expect(await server.refusal('/fs')).toEqual([409, 'TOO_MANY_FILES']);
    expect((await server.ask('/fs/admin')).status).toBe(200);
    writeFileSync(join(server.folder, 'admin/one/more'), 'x');
    expect(await server.refusal('/fs/admin')).toEqual([409, 'TOO_MANY_FILES']);
    expect((await server.json('/fs/admin/one')).files!.items.length).toBe(1);
  });

  it('says that it is too deep', async () => {
    mkdirSync(join(server.folder, 'admin/2/3/4'), { recursive: true });
    expect((await server.ask('/fs')).status).toBe(200);
    writeFileSync(join(server.folder, 'admin/2/3/4/5'), 'x');
    expect(await server.refusal('/fs')).toEqual([409, 'TOO_MANY_FILES']);
    rmSync(join(server.folder, 'admin/2/3/4/5'));
    mkdirSync(join(server.folder, 'admin/2/3/4/5'));
    expect(await server.refusal('/fs/admin/2')).toEqual([409, 'TOO_MANY_FILES']);
    expect(await server.refusal('/fs/admin/2/3/4/5')).toEqual([400, 'FILE_NAME_INVALID']);
  });

  it('is as right where more files are listed than are remembered', async () => {
    for (let i = 0; i < 10; i++) writeFileSync(join(server.folder, `admin/${i}`), 'x');
    for (let i = 0; i < 2; i++) expect((await server.json('/fs/admin')).files!.items.map(({ type }) => type)).toEqual(Array(10).fill('FILE'));
  });
});

describe('an upload', () => {
  it('that says it is too large is not begun', async () => {
    const head = `POST ${FILES}/fs/admin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Disposition: x\r\nContent-Length: ${LIMITS.uploadBytes + 1}\r\n\r\n`;
    const answer = await server.send(head + 'x'.repeat(LIMITS.uploadBytes + 1));
    expect(answer).toMatch(/^HTTP\/1.1 413 [^]*UPLOAD_TOO_LARGE/);
  });

  it('that turns out to be too large leaves nothing', async () => {
    const chunked = { headers: { 'transfer-encoding': 'chunked' } };
    expect((await server.upload('admin', 'x', Buffer.alloc(LIMITS.uploadBytes), chunked)).status).toBe(201);
    const answer = await server.upload('admin', 'y', Buffer.alloc(LIMITS.uploadBytes + 1), chunked);
    expect([answer.status, errorOf(answer).error_id, server.names('admin')]).toEqual([413, 'UPLOAD_TOO_LARGE', ['x']]);
  });

  it('of a client that falls silent is given up', async () => {
    const asked = await begin('x');
    await new Promise((resolve) => asked.once('close', resolve));
    await until(() => server.names('admin').length === 0);
  });

  it('waits for none of the others', async () => {
    const [first, second] = [await begin('1'), await begin('2')];
    const answer = await server.upload('admin', '3', 'x');
    expect([answer.status, errorOf(answer).error_id, answer.headers['retry-after']]).toEqual([503, 'TOO_MANY_UPLOADS', '5']);
    first.end();
    await once(first, 'response');
    expect((await server.upload('admin', '3', 'x')).status).toBe(201);
    second.destroy();
    await until(() => server.names('admin').join() === '1,3');
  });
});

describe('checksums', () => {
  const start = (name: string) => server.ask(`/checksum/admin/${name}`, { method: 'POST' });

  it('that are not made yet are few', async () => {
    // Holds up what hashes: two at once, and one that waits.
    const tree = await server.tree.openEntry((writeFileSync(join(server.folder, 'admin/0'), 'x'), ['admin', '0']));
    const prototype = Object.getPrototypeOf(tree.handle) as { read: (...args: unknown[]) => Promise<unknown> };
    await tree.handle.close();
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const spy = vi.spyOn(prototype, 'read').mockImplementation(async () => (await gate, { bytesRead: 0 }));
    try {
      for (let i = 0; i < 4; i++) writeFileSync(join(server.folder, `admin/${i}`), 'x');
      for (let i = 0; i < 3; i++) expect((await start(String(i))).status).toBe(201);
      const refused = await start('3');
      expect([refused.status, errorOf(refused).error_id, refused.headers['retry-after']]).toEqual([503, 'TOO_MANY_CHECKSUMS', '5']);
      expect(await server.refusal('/checksum/admin/0')).toEqual([409, 'CHECKSUM_RUNNING']);
      expect((await server.json<{ progress: number }>('/checksum_status/admin/2')).progress).toBe(0);
      // The one that waits is given up, which makes room.
      expect((await server.ask('/checksum/admin/2', { method: 'DELETE' })).status).toBe(204);
      await until(async () => (await start('3')).status === 201);
    } finally {
      spy.mockRestore();
      open();
    }
  });

  it('that are kept are few: the oldest goes', async () => {
    for (let i = 0; i < 6; i++) {
      writeFileSync(join(server.folder, `admin/${i}`), 'x');
      expect((await start(String(i))).status).toBe(201);
      await until(async () => (await server.ask(`/checksum/admin/${i}`)).status === 200);
    }
    expect(await server.refusal('/checksum/admin/0')).toEqual([404, 'CHECKSUM_NOT_FOUND']);
    expect((await server.ask('/checksum/admin/1')).status).toBe(200);
  });
});
