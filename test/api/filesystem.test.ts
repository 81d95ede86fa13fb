import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/errors.js';
import { pcap, udpFrame } from './captures.js';
import { FilesServer, type FileAsk, type Item } from './filesystem-server.js';

let server: FilesServer;
const capture = pcap([{ ns: 10n ** 18n, bytes: udpFrame(1, 53, 100) }]);
beforeAll(async () => {
  server = await FilesServer.start();
  const at = (path: string): string => join(server.folder, path);
  mkdirSync(at('admin/deep/er'), { recursive: true });
  mkdirSync(at('ann'));
  writeFileSync(at('admin/x.pcap'), capture);
  writeFileSync(at('admin/deep/er/y.pcap.gz'), gzipSync(capture));
  writeFileSync(at('admin/text'), 'no capture');
  writeFileSync(at('admin/.spillway-0123456789abcdef.part'), 'half');
  writeFileSync(at('admin/zwei Wörter.pcap'), capture);
  writeFileSync(at('admin/line\nfeed'), 'x');
  writeFileSync(at('loose'), 'in no folder');
  writeFileSync(at('../secret'), 'secret');
  symlinkSync('x.pcap', at('admin/link.pcap'));
  symlinkSync('../../secret', at('admin/out'));
  symlinkSync('deep', at('admin/shallow'));
  symlinkSync('admin', at('other'));
  execFileSync('mkfifo', [at('admin/pipe')]);
  utimesSync(at('admin/x.pcap'), 1_600_000_000, 1_600_000_000.5);
});
afterAll(() => server.stop());

const ids = (items: Item[]): string[] => items.flatMap(({ id, files, dirs }) => [id, ...ids(files?.items ?? []), ...ids(dirs?.items ?? [])]);

describe('GET /fs', () => {
  it('lists everything below the folders of owners, and no link, pipe or unfinished file', async () => {
    const list = await server.json<{ items: Item[] }>('/fs');
    expect(Object.keys(list)).toEqual(['items']);
    expect(ids(list.items)).toEqual([
      '/admin',
      '/admin/text',
      '/admin/x.pcap',
      '/admin/zwei Wörter.pcap',
      '/admin/deep',
      '/admin/deep/er',
      '/admin/deep/er/y.pcap.gz',
      '/ann',
    ]);
    for (const top of list.items) {
      expect(Object.keys(top)).toEqual(expect.arrayContaining(['id', 'created', 'modified', 'files', 'dirs']));
      expect([top.files!.items, top.dirs!.items]).toEqual([expect.any(Array), expect.any(Array)]);
    }
  });

  it.each([
    ['?owner=ann', ['/ann']],
    ['?owner=nobody', []],
    ['?owner=../admin', []],
    ['?access=PUBLIC', ['/ann']],
    ['?access_rights=r&owner=ann', ['/ann']],
    ['?access_rights=rw&access=PUBLIC', ['/ann']],
    ['?access=PRIVATE&owner=ann', []],
  ])('%s lists %j', async (query, expected) => expect(ids((await server.json<{ items: Item[] }>(`/fs${query}`)).items)).toEqual(expected));

  it.each(['?access=none', '?access_rights=x', '?owner=a&owner=b'])('%s is refused', async (query) =>
    expect(await server.refusal(`/fs${query}`)).toEqual([400, 'REQUEST_INVALID']),
  );
});

describe('GET /fs/{+id}', () => {
  const details = {
    id: '/admin/x.pcap',
    type: 'PCAP_FILE',
    format: 'PCAP_NS',
    link_type: 'EN10MB',
    size: capture.length,
    created: expect.stringMatching(/^\d+\.\d{9}$/),
    modified: '1600000000.500000000',
    access_rights: { owner: 'admin' },
  };

  it.each(['/fs/admin/x.pcap', '/fs//admin/x.pcap', '/fs///admin//x.pcap', '/fs/%2Fadmin%2fx.pcap', '/fs/admin/x%2epcap'])(
    '%s is a file, flat and nested',
    async (path) => {
      const answer = await server.ask(path);
      expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([200, { ...details, file: details }]);
    },
  );

  it('is a capture by its content, compressed or not', async () => {
    const zipped = { type: 'PCAP_FILE', format: 'PCAP_NS', link_type: 'EN10MB', size: gzipSync(capture).length };
    expect(await server.json('/fs/admin/deep/er/y.pcap.gz')).toMatchObject({ ...zipped, file: zipped });
    const text = await server.json('/fs/admin/text');
    expect(text).toMatchObject({ type: 'FILE', size: 10, file: { type: 'FILE', size: 10 } });
    expect(text).not.toHaveProperty('format');
    expect(text).not.toHaveProperty('link_type');
  });

  it('is a folder, with everything below it', async () => {
    const folder = await server.json('/fs//admin/deep/');
    expect(folder).toMatchObject({ id: '/admin/deep', type: 'DIRECTORY', files: { items: [] }, access_rights: { owner: 'admin' } });
    expect(ids([folder])).toEqual(['/admin/deep', '/admin/deep/er', '/admin/deep/er/y.pcap.gz']);
  });

  it('takes names with any characters', async () => {
    expect((await server.json('/fs/admin/zwei%20W%C3%B6rter.pcap')).id).toBe('/admin/zwei Wörter.pcap');
  });

  it('tells what is there now', async () => {
    const path = join(server.folder, 'ann/changing');
    for (const [bytes, type] of [[capture, 'PCAP_FILE'] as const, ['text', 'FILE'] as const, [capture, 'PCAP_FILE'] as const]) {
      writeFileSync(path, bytes);
      expect(await server.json('/fs/ann/changing')).toMatchObject({ type, size: bytes.length });
    }
    expect((await server.ask('/fs/ann/changing', { method: 'DELETE' })).status).toBe(204);
  });
});

const LONG = 'a'.repeat(256);
/** What no link of the service takes for a file. */
const bad: [string, ErrorCode][] = [
  ['', 'FILE_NAME_INVALID'],
  ['/', 'FILE_NAME_INVALID'],
  ['..', 'FILE_NAME_INVALID'],
  ['../secret', 'FILE_NAME_INVALID'],
  ['admin/../../secret', 'FILE_NAME_INVALID'],
  ['admin/..', 'FILE_NAME_INVALID'],
  ['admin/./x.pcap', 'FILE_NAME_INVALID'],
  ['%2e%2e/secret', 'FILE_NAME_INVALID'],
  ['admin%2f..%2f..%2fsecret', 'FILE_NAME_INVALID'],
  ['admin/x.pcap%00', 'FILE_NAME_INVALID'],
  ['admin/%0a', 'FILE_NAME_INVALID'],
  ['admin/line%0Afeed', 'FILE_NAME_INVALID'],
  ['admin/%C2%85', 'FILE_NAME_INVALID'],
  ['admin/%EF%BF%BD', 'FILE_NAME_INVALID'],
  [`admin/${LONG}`, 'FILE_NAME_INVALID'],
  [`admin/${'%C3%B6'.repeat(128)}`, 'FILE_NAME_INVALID'],
  [`admin/${'a/'.repeat(16)}x`, 'FILE_NAME_INVALID'],
  ['admin/.spillway-0123456789abcdef.part', 'FILE_NAME_INVALID'],
  ['admin/.spillway-x.part', 'FILE_NAME_INVALID'],
  ['admin/%zz', 'REQUEST_INVALID'],
  ['admin/%ff', 'REQUEST_INVALID'],
  ['admin/none', 'FILE_NOT_FOUND'],
  ['admin/none/x.pcap', 'FILE_NOT_FOUND'],
  ['nobody/x.pcap', 'FILE_NOT_FOUND'],
  ['admin/x.pcap/x', 'FILE_NOT_FOUND'],
  ['admin/x.pcap/none/x', 'FILE_NOT_FOUND'],
  ['admin/link.pcap', 'FILE_NOT_FOUND'],
  ['admin/out', 'FILE_NOT_FOUND'],
  ['admin/shallow/er', 'FILE_NOT_FOUND'],
  ['other/x.pcap', 'FILE_NOT_FOUND'],
  ['admin/pipe', 'FILE_NOT_FOUND'],
];
const links: [string, FileAsk][] = [
  ['/fs/', {}],
  ['/fs/', { method: 'DELETE' }],
  ['/fs/', { body: 'x', headers: { 'content-disposition': 'new' } }],
  ['/fileop/download/', {}],
  ['/fileop/download/', { method: 'HEAD' }],
  ['/fileop/copy/', { body: { destination: '/admin/copy' } }],
  ['/fileop/move/', { body: { destination: '/admin/moved' } }],
  ['/checksum/', {}],
  ['/checksum/', { method: 'POST' }],
  ['/checksum/', { method: 'DELETE' }],
  ['/checksum_status/', {}],
];

describe('a path that names no file', () => {
  it.each(bad)('%j: %s, whatever is asked', async (id, code) => {
    const before = server.names();
    for (const [link, ask] of links) {
      const { status, body } = await server.ask(`${link}${id}`, ask);
      expect([link, ask.method, status]).toEqual([link, ask.method, ERRORS[code].http]);
      if (ask.method !== 'HEAD') expect([link, JSON.parse(body.toString()).error_id]).toEqual([link, code]);
    }
    expect(server.names()).toEqual(before);
  });

  it('leaves no descriptor open', async () => {
    const count = async (): Promise<number> => {
      for (const [link, ask] of links)
        for (const id of ['admin/none', 'admin/link.pcap', 'admin/pipe', 'admin', 'nobody/x']) await server.ask(`${link}${id}`, ask);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return readdirSync('/proc/self/fd').length;
    };
    const first = await count();
    expect(await count()).toBeLessThanOrEqual(first + 1);
  });
});

describe('DELETE /fs/{+id}', () => {
  it('deletes files and empty folders, and nothing else', async () => {
    mkdirSync(join(server.folder, 'admin/gone'));
    writeFileSync(join(server.folder, 'admin/gone/file'), '');
    const remove = (id: string) => server.ask(`/fs//admin/${id}`, { method: 'DELETE' });
    expect(await server.refusal('/fs/admin/gone', { method: 'DELETE' })).toEqual([409, 'FOLDER_NOT_EMPTY']);
    const { status, body, headers } = await remove('gone/file');
    expect([status, body.length, headers['content-length']]).toEqual([204, 0, undefined]);
    expect((await remove('gone')).status).toBe(204);
    expect((await remove('gone')).status).toBe(404);
    expect(server.names('admin')).not.toContain('gone');
  });

  it('never an owner’s folder', async () => {
    for (const id of ['admin', 'ann', 'nobody']) expect(await server.refusal(`/fs/${id}`, { method: 'DELETE' })).toEqual([403, 'FILE_FORBIDDEN']);
  });
});

describe('the definition', () => {
  it('has every name that clients bind by', async () => {
    interface Definition {
      resources: Record<string, { links: Record<string, { method?: string; path?: unknown }> }>;
    }
    const { resources, ...rest } = await server.json<Definition>('');
    expect(rest).toMatchObject({
      id: 'http://support.riverbed.com/apis/npm.filesystem/1.0',
      name: 'npm.filesystem',
      version: '1.0',
      provider: 'riverbed',
    });
    const told = Object.entries(resources).map(([name, { links: all }]) => [
      name,
      Object.entries(all).map(([each, { method, path }]) => [each, method, path]),
    ]);
    expect(Object.fromEntries(told)).toEqual({
      filesystem: [
        ['self', undefined, '$/fs'],
        ['get', 'GET', expect.objectContaining({ template: '$/fs{?access,access_rights,owner}' })],
      ],
      file: [
        ['self', undefined, '$/fs/{+id}'],
        ['get', 'GET', undefined],
        ['create', 'POST', undefined],
        ['delete', 'DELETE', undefined],
        ['download', 'GET', '$/fileop/download/{+id}'],
        ['copy', 'POST', '$/fileop/copy/{+id}'],
        ['move', 'POST', '$/fileop/move/{+id}'],
      ],
      checksum: [
        ['self', undefined, '$/checksum/{+id}'],
        ['create', 'POST', undefined],
        ['get', 'GET', undefined],
        ['delete', 'DELETE', undefined],
        ['status', 'GET', '$/checksum_status/{+id}'],
      ],
    });
  });

  it.each([
    ['PUT', '/fs/admin/x.pcap', 'GET, HEAD, POST, DELETE'],
    ['POST', '/fs', 'GET, HEAD'],
    ['POST', '/fileop/download/admin/x.pcap', 'GET, HEAD'],
    ['GET', '/fileop/copy/admin/x.pcap', 'POST'],
    ['DELETE', '/checksum_status/admin/x.pcap', 'GET, HEAD'],
  ])('knows no %s of %s', async (method, path, allow) => {
    const answer = await server.ask(path, { method, ...(method === 'PUT' && { body: 'x' }) });
    expect([answer.status, answer.headers['allow']!.split(', ').sort()]).toEqual([405, allow.split(', ').sort()]);
  });

  it('says that readers change nothing', async () => {
    for (const [link, ask] of links) {
      const changes = (ask.method ?? (ask.body === undefined ? 'GET' : 'POST')) !== 'GET' && ask.method !== 'HEAD';
      const answer = await server.ask(`${link}admin/x.pcap`, { ...ask, as: 'rea' });
      expect([link, ask.method, answer.status === 403]).toEqual([link, ask.method, changes]);
    }
  });
});
