import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../export/fakes.js';
import { FILES, FilesServer, type FileAsk, type Item } from './filesystem-server.js';

let server: FilesServer;
const bytes = randomBytes((2 << 20) + 77);
beforeAll(async () => void (server = await FilesServer.start()));
afterAll(() => server.stop());
beforeEach(() => {
  server.clear();
  for (const folder of ['admin/folder/inner', 'ann']) mkdirSync(join(server.folder, folder), { recursive: true });
  writeFileSync(join(server.folder, 'admin/x.pcap'), bytes);
  writeFileSync(join(server.folder, 'admin/folder/there'), 'there');
  symlinkSync('/tmp', join(server.folder, 'admin/link'));
});
afterEach(() => vi.restoreAllMocks());

const contentOf = (path: string): Buffer => readFileSync(join(server.folder, path));
const to = (destination: unknown): FileAsk => ({ body: { destination } });

describe.each(['copy', 'move'])('%s', (link) => {
  const run = (id: string, destination: string): Promise<Item> => server.json(`/fileop/${link}/${id}`, to(destination));

  it.each([
    ['/admin/new.pcap', '/admin/new.pcap'],
    ['admin/new.pcap', '/admin/new.pcap'],
    ['/admin/folder', '/admin/folder/x.pcap'],
    ['/admin/folder/', '/admin/folder/x.pcap'],
    ['/admin/folder/inner/y', '/admin/folder/inner/y'],
    ['/ann', '/ann/x.pcap'],
    ['/ann/a b', '/ann/a b'],
  ])('to %j gives %j', async (destination, id) => {
    const { status, headers, body } = await server.ask(`/fileop/${link}//admin/x.pcap`, to(destination));
    expect([status, headers['location']]).toEqual([200, FILES + encodeURI(`/fs${id}`)]);
    expect(JSON.parse(body.toString())).toMatchObject({ id, size: bytes.length, file: { id } });
    expect(contentOf(id.slice(1)).equals(bytes)).toBe(true);
    expect(server.names('admin').includes('x.pcap')).toBe(link === 'copy');
    expect(server.names().some((name) => name.endsWith('.part'))).toBe(false);
  });

  it.each([
    ['/admin/folder/there', 409, 'FILE_EXISTS'],
    ['/admin/x.pcap', 409, 'FILE_EXISTS'],
    ['/admin', 409, 'FILE_EXISTS'],
    ['/admin/link', 409, 'FILE_EXISTS'],
    ['/admin/link/x', 400, 'DESTINATION_INVALID'],
    ['/admin/none/x', 400, 'DESTINATION_INVALID'],
    ['/admin/x.pcap/x', 400, 'DESTINATION_INVALID'],
    ['/nobody', 400, 'DESTINATION_INVALID'],
    ['/nobody/x', 400, 'DESTINATION_INVALID'],
    ['', 400, 'FILE_NAME_INVALID'],
    ['/', 400, 'FILE_NAME_INVALID'],
    ['/admin/../ann/x', 400, 'FILE_NAME_INVALID'],
    ['/admin/a\0b', 400, 'FILE_NAME_INVALID'],
    ['/admin/\ud800', 400, 'FILE_NAME_INVALID'],
    [`/admin/${'a'.repeat(300)}`, 400, 'FILE_NAME_INVALID'],
    ['/admin/.spillway-0123456789abcdef.part', 400, 'FILE_NAME_INVALID'],
  ])('to %j is refused, and nothing changes', async (destination, status, code) => {
    const before = server.names();
    expect(await server.refusal(`/fileop/${link}/admin/x.pcap`, to(destination))).toEqual([status, code]);
    expect([server.names(), contentOf('admin/x.pcap').equals(bytes), contentOf('admin/folder/there').toString()]).toEqual([before, true, 'there']);
  });

  it.each<[string, FileAsk]>([
    ['no body', { method: 'POST' }],
    ['an unknown property', { body: { destination: '/admin/y', overwrite: true } }],
    ['a number', to(5)],
    ['none', { body: {} }],
    ['a list', { body: ['/admin/y'] }],
  ])('with %s is refused', async (_what, ask) => expect(await server.refusal(`/fileop/${link}/admin/x.pcap`, ask)).toEqual([400, 'REQUEST_INVALID']));

  it('is private to the probe', async () => {
    if (link === 'move') return;
    await run('admin/x.pcap', '/admin/y');
    expect(statSync(join(server.folder, 'admin/y')).mode & 0o777).toBe(0o600);
  });
});

describe('a folder', () => {
  it('is moved with all it holds', async () => {
    expect((await server.json('/fileop/move/admin/folder', to('/ann/kept'))).files!.items.map(({ id }) => id)).toEqual(['/ann/kept/there']);
    expect(server.names()).toEqual(['admin', 'admin/link', 'admin/x.pcap', 'ann', 'ann/kept', 'ann/kept/inner', 'ann/kept/there']);
  });

  it.each([
    ['copy', 'admin/folder', '/admin/other', 409, 'FILE_WRONG_KIND'],
    ['move', 'admin/folder', '/admin/folder/inner', 400, 'DESTINATION_INVALID'],
    ['move', 'admin/folder', '/admin/folder/new', 400, 'DESTINATION_INVALID'],
    ['move', 'admin/folder', '/admin/folder', 400, 'DESTINATION_INVALID'],
    ['move', 'admin/folder', '/admin', 409, 'FILE_EXISTS'],
    ['move', 'admin/folder/inner', '/admin', 200, ''],
    ['move', 'ann', '/admin', 403, 'FILE_FORBIDDEN'],
    ['move', 'ann', '/bob', 403, 'FILE_FORBIDDEN'],
  ])('%s of %s to %s: %i %s', async (link, id, destination, status, code) => {
    const before = server.names();
    const answer = await server.ask(`/fileop/${link}/${id}`, to(destination));
    const body = JSON.parse(answer.body.toString()) as { error_id?: string };
    expect([answer.status, body.error_id ?? '']).toEqual([status, code]);
    if (status !== 200) expect(server.names()).toEqual(before);
  });
});

describe('a copy', () => {
  /** Runs `then` when the first piece of the copy is read. */
  async function inTheMiddle(then: () => void): Promise<void> {
    const { handle } = await server.tree.openEntry(['admin', 'x.pcap']);
    const prototype = Object.getPrototypeOf(handle) as { read: (...args: unknown[]) => Promise<unknown> };
    await handle.close();
    const read = prototype.read;
    let reads = 0;
    vi.spyOn(prototype, 'read').mockImplementation(async function (this: unknown, ...args: unknown[]) {
      if (++reads === 2) then();
      await new Promise(setImmediate);
      return read.apply(this, args);
    });
  }

  it.each([
    ['grows', () => appendFileSync(join(server.folder, 'admin/x.pcap'), 'more')],
    ['shrinks', () => writeFileSync(join(server.folder, 'admin/x.pcap'), 'less')],
  ])('of a file that %s meanwhile is none', async (_what, change) => {
    await inTheMiddle(change);
    expect(await server.refusal('/fileop/copy/admin/x.pcap', to('/ann/y'))).toEqual([409, 'FILE_CHANGED']);
    expect(server.names('ann')).toEqual([]);
  });

  it('is given up with its client', async () => {
    const asked = request({
      host: '127.0.0.1',
      port: server.port,
      path: `${FILES}/fileop/copy/admin/x.pcap`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      agent: false,
    });
    asked.on('error', () => undefined);
    const copying = vi.fn();
    await inTheMiddle(() => {
      copying(server.names('ann').length);
      asked.destroy();
    });
    asked.end('{"destination":"/ann/y"}');
    await until(() => copying.mock.calls.length > 0 && server.names('ann').length === 0);
    expect(copying).toHaveBeenCalledWith(1);
  });
});
