import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FilesServer, type FileAsk, type Item } from './filesystem-server.js';

let server: FilesServer;
beforeAll(async () => void (server = await FilesServer.start()));
afterAll(() => server.stop());
beforeEach(() => {
  server.clear();
  const files = ['admin/a', 'ann/one.pcap', 'ann/two.pcap', 'ann/shared/s', 'ann/shared/deep/d', 'ann/private/p', 'bob/b'];
  for (const file of files) {
    mkdirSync(join(server.folder, file, '..'), { recursive: true });
    writeFileSync(join(server.folder, file), file);
  }
  mkdirSync(join(server.folder, 'ann/empty'));
});

const ids = (items: Item[]): string[] => items.flatMap(({ id, files, dirs }) => [id, ...ids(files?.items ?? []), ...ids(dirs?.items ?? [])]);
const list = async (as: string, query = ''): Promise<string[]> => ids((await server.json<{ items: Item[] }>(`/fs${query}`, { as })).items);
const ANNS = [
  '/ann',
  '/ann/one.pcap',
  '/ann/two.pcap',
  '/ann/empty',
  '/ann/private',
  '/ann/private/p',
  '/ann/shared',
  '/ann/shared/s',
  '/ann/shared/deep',
  '/ann/shared/deep/d',
];

describe('a list', () => {
  it.each<[string, string, string[]]>([
    ['admin', '', ['/admin', '/admin/a', ...ANNS, '/bob', '/bob/b']],
    ['rea', '', ['/admin', '/admin/a', ...ANNS, '/bob', '/bob/b']],
    ['ann', '', ANNS],
    ['bob', '', ['/ann', '/ann/one.pcap', '/ann/shared', '/ann/shared/s', '/ann/shared/deep', '/ann/shared/deep/d', '/bob', '/bob/b']],
    ['bob', '?owner=ann', ['/ann', '/ann/one.pcap', '/ann/shared', '/ann/shared/s', '/ann/shared/deep', '/ann/shared/deep/d']],
    ['bob', '?owner=admin', []],
    ['bob', '?access=PRIVATE', ['/bob', '/bob/b']],
    ['bob', '?access_rights=rw', ['/bob', '/bob/b']],
    ['rea', '?access_rights=rw', []],
    ['rea', '?access=PRIVATE', []],
  ])('of %s with %j', async (as, query, expected) => expect(await list(as, query)).toEqual(expected));

  it('of a folder is what the caller may read in it', async () => {
    expect(ids([await server.json('/fs/ann', { as: 'bob' })])).toEqual([
      '/ann',
      '/ann/one.pcap',
      '/ann/shared',
      '/ann/shared/s',
      '/ann/shared/deep',
      '/ann/shared/deep/d',
    ]);
  });
});

const reading: [string, FileAsk][] = [
  ['/fs/', {}],
  ['/fileop/download/', {}],
  ['/checksum/', { method: 'POST' }],
  ['/checksum/', {}],
  ['/checksum_status/', {}],
  ['/checksum/', { method: 'DELETE' }],
];

describe("another's file", () => {
  it.each(['admin/a', 'ann/two.pcap', 'ann/private/p', 'ann/none', 'ann/private', 'ann/empty', 'admin', 'nobody', 'ann/sharedx', 'ann/one.pcap/x'])(
    'is not there for one who may not read it: %s',
    async (id) => {
      const texts = new Set<string>();
      for (const [link, ask] of reading) {
        const { status, body } = await server.ask(link + id, { ...ask, as: 'bob' });
        expect([link, ask.method, status]).toEqual([link, ask.method, 404]);
        texts.add(body.toString());
      }
      // To the letter what is said of a file that is not there.
      expect([...texts].map((text) => JSON.parse(text) as unknown)).toEqual([
        { error_id: 'FILE_NOT_FOUND', error_text: `there is no file or folder ${JSON.stringify(`/${id}`)}` },
      ]);
      const copied = await server.refusal(`/fileop/copy/${id}`, { as: 'bob', body: { destination: '/bob/stolen' } });
      expect([copied, server.names('bob')]).toEqual([[404, 'FILE_NOT_FOUND'], ['b']]);
    },
  );

  it.each(['ann/one.pcap', 'ann/shared/s', 'ann/shared/deep/d'])('is read by one who may: %s', async (id) => {
    expect((await server.json(`/fs/${id}`, { as: 'bob' })).id).toBe(`/${id}`);
    expect((await server.ask(`/fileop/download//${id}`, { as: 'bob' })).body.toString()).toBe(id);
    expect((await server.json(`/fileop/copy/${id}`, { as: 'bob', body: { destination: '/bob/copy' } })).id).toBe('/bob/copy');
    expect((await server.ask(`/checksum/${id}`, { as: 'bob', method: 'POST' })).status).toBe(201);
  });

  it('is not to be changed, be it there or not', async () => {
    const before = server.names();
    const attempts: [string, FileAsk][] = ['ann/one.pcap', 'ann/none', 'nobody/x', 'ann/shared/deep', 'ann/private/p'].flatMap(
      (id): [string, FileAsk][] => [
        [`/fs/${id}`, { method: 'DELETE' }],
        [`/fs/${id}`, { body: 'x', headers: { 'content-disposition': 'new' } }],
        [`/fs/${id}`, { method: 'POST', headers: { 'content-disposition': 'new', 'content-type': 'application/x-shark-directory' } }],
        ['/fileop/copy/bob/b', { body: { destination: `/${id}` } }],
        ['/fileop/move/bob/b', { body: { destination: `/${id}` } }],
      ],
    );
    attempts.push(
      ['/fileop/move/ann/one.pcap', { body: { destination: '/bob/taken' } }],
      ['/fileop/move/ann/shared/s', { body: { destination: '/bob' } }],
    );
    for (const [path, ask] of attempts) expect([path, await server.refusal(path, { ...ask, as: 'bob' })]).toEqual([path, [403, 'FILE_FORBIDDEN']]);
    expect(server.names()).toEqual(before);
  });

  it('is changed by an admin', async () => {
    expect((await server.upload('bob', 'new', 'x')).status).toBe(201);
    expect((await server.json('/fileop/move/ann/one.pcap', { body: { destination: '/bob' } })).id).toBe('/bob/one.pcap');
    expect((await server.ask('/fs/ann/two.pcap', { method: 'DELETE' })).status).toBe(204);
  });
});

describe('an own folder', () => {
  it('is made by what is copied into it', async () => {
    server.clear();
    mkdirSync(join(server.folder, 'ann'));
    writeFileSync(join(server.folder, 'ann/one.pcap'), 'x');
    expect((await server.json('/fileop/copy/ann/one.pcap', { as: 'bob', body: { destination: '/bob' } })).id).toBe('/bob/one.pcap');
  });

  it('that is not there yet is empty', async () => {
    server.clear();
    expect(await list('ann')).toEqual([]);
    expect(await server.refusal('/fs/ann', { as: 'ann' })).toEqual([404, 'FILE_NOT_FOUND']);
  });
});
