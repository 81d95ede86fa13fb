import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../export/fakes.js';
import { FILES, FilesServer } from './filesystem-server.js';

let server: FilesServer;
const bytes = randomBytes((3 << 20) + 1);
const SHA256 = createHash('sha256').update(bytes).digest('hex');
const at = (path: string): string => join(server.folder, path);
beforeAll(async () => void (server = await FilesServer.start()));
afterAll(() => server.stop());
beforeEach(() => {
  server.clear();
  writeFileSync(at('admin/x y.pcap'), bytes);
  mkdirSync(at('admin/folder'));
});
afterEach(() => vi.restoreAllMocks());

const ID = '/admin/x%20y.pcap';
const start = (id = ID) => server.ask(`/checksum${id}`, { method: 'POST' });
const made = (id = ID): Promise<void> => until(async () => (await server.json<{ progress: number }>(`/checksum_status${id}`)).progress === 100);

describe('a checksum', () => {
  it.each([ID, `/${ID}`])('is begun, watched, fetched and forgotten (%s)', async (id) => {
    const { status, headers, body } = await start(id);
    expect([status, headers['location']]).toEqual([201, `${FILES}/checksum_status${ID}`]);
    expect(JSON.parse(body.toString())).toEqual({ uri: `${FILES}/checksum${ID}`, progress: expect.any(Number) });
    await made(id);
    expect(await server.json(`/checksum_status${id}`)).toEqual({ uri: `${FILES}/checksum${ID}`, progress: 100 });
    expect(await server.json(`/checksum${id}`)).toEqual({ id: '/admin/x y.pcap', algorithm: 'SHA-256', checksum: SHA256 });
    expect((await server.ask(`/checksum${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await server.refusal(`/checksum${id}`)).toEqual([404, 'CHECKSUM_NOT_FOUND']);
    expect(await server.refusal(`/checksum_status${id}`)).toEqual([404, 'CHECKSUM_NOT_FOUND']);
    expect(await server.refusal(`/checksum${id}`, { method: 'DELETE' })).toEqual([404, 'CHECKSUM_NOT_FOUND']);
  });

  it('of nothing is that of nothing', async () => {
    writeFileSync(at('admin/empty'), '');
    await start('/admin/empty');
    await made('/admin/empty');
    expect(await server.json('/checksum/admin/empty')).toMatchObject({ checksum: createHash('sha256').digest('hex') });
  });

  it('that is there is not made again', async () => {
    await start();
    await made();
    expect(JSON.parse((await start()).body.toString())).toMatchObject({ progress: 100 });
  });

  it.each<[string, () => void]>([
    ['grown', () => appendFileSync(at('admin/x y.pcap'), 'more')],
    ['replaced', () => (writeFileSync(at('admin/new'), bytes), renameSync(at('admin/new'), at('admin/x y.pcap')))],
    ['written anew', () => writeFileSync(at('admin/x y.pcap'), randomBytes(bytes.length))],
  ])('of a file that has %s since is none', async (_what, change) => {
    await start();
    await made();
    change();
    expect(await server.refusal(`/checksum_status${ID}`)).toEqual([404, 'CHECKSUM_NOT_FOUND']);
    expect(await server.refusal(`/checksum${ID}`)).toEqual([404, 'CHECKSUM_NOT_FOUND']);
    expect((await start()).status).toBe(201);
    await made();
  });

  it('of a file that is gone is not found', async () => {
    await start();
    unlinkSync(at('admin/x y.pcap'));
    for (const path of ['/checksum', '/checksum_status']) expect(await server.refusal(path + ID)).toEqual([404, 'FILE_NOT_FOUND']);
  });

  it('is made of files only', async () => {
    expect(await server.refusal('/checksum/admin/folder', { method: 'POST' })).toEqual([409, 'FILE_WRONG_KIND']);
    expect(await server.refusal('/checksum/admin', { method: 'POST' })).toEqual([409, 'FILE_WRONG_KIND']);
  });

  it("is the asker's own: nobody else forgets it", async () => {
    mkdirSync(at('ann'));
    writeFileSync(at('ann/one.pcap'), 'x');
    for (const as of ['ann', 'bob']) expect((await server.ask('/checksum/ann/one.pcap', { method: 'POST', as })).status).toBe(201);
    await server.ask('/checksum/ann/one.pcap', { method: 'DELETE', as: 'bob' });
    await until(async () => (await server.ask('/checksum/ann/one.pcap', { as: 'ann' })).status === 200);
  });
});

describe('while it is made', () => {
  it('shows how far it is, and can be ended', async () => {
    const { handle } = await server.tree.openEntry(['admin', 'x y.pcap']);
    const prototype = Object.getPrototypeOf(handle) as { read: (...args: unknown[]) => Promise<unknown> };
    await handle.close();
    const read = prototype.read;
    let reads = 0;
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    vi.spyOn(prototype, 'read').mockImplementation(async function (this: unknown, ...args: unknown[]) {
      if (++reads === 3) await gate;
      return read.apply(this, args);
    });
    await start();
    await until(() => reads === 3);
    expect(await server.json(`/checksum_status${ID}`)).toMatchObject({ progress: 66 });
    expect(await server.refusal(`/checksum${ID}`)).toEqual([409, 'CHECKSUM_RUNNING']);
    expect(JSON.parse((await start()).body.toString())).toMatchObject({ progress: 66 });
    expect((await server.ask(`/checksum${ID}`, { method: 'DELETE' })).status).toBe(204);
    open();
    await server.checksums.close();
    expect([reads, await server.refusal(`/checksum${ID}`)]).toEqual([3, [404, 'CHECKSUM_NOT_FOUND']]);
  });
});
