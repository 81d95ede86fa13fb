import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nameIn } from '../../src/api/filesystem/disposition.js';
import { LIMITS } from '../../src/config.js';
import { until } from '../export/fakes.js';
import { canMount, withSmallDisk } from '../export/small-disk.js';
import { requireOrSkip } from '../setup/require.js';
import { FILES, FilesServer, type FileAsk } from './filesystem-server.js';
import { errorOf } from './server.js';

let server: FilesServer;
beforeAll(async () => void (server = await FilesServer.start()));
afterAll(() => server.stop());
beforeEach(() => server.clear());

const contentOf = (path: string): Buffer => readFileSync(join(server.folder, path));
const isPart = (name: string): boolean => name.endsWith('.part');

/** A client that has sent a part of its body. */
async function begin(folder: string, name: string, some: Buffer, headers: Record<string, string> = {}): Promise<ClientRequest> {
  const asked = request({
    host: '127.0.0.1',
    port: server.port,
    path: `${FILES}/fs/${folder}`,
    method: 'POST',
    headers: { 'content-disposition': name, 'content-type': 'application/octet-stream', ...headers },
    agent: false,
  });
  asked.on('error', () => undefined);
  asked.write(some);
  await until(() => server.names('admin').some(isPart), 'a part file');
  return asked;
}

async function answerTo(asked: ClientRequest): Promise<{ status: number; body: string }> {
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode!, body };
}

describe('an upload', () => {
  it.each([0, 1, 3 << 20])('of %i bytes appears whole, in private, under its address', async (size) => {
    const bytes = randomBytes(size);
    const { status, headers, body } = await server.upload('/admin', 'new.pcap', bytes);
    expect([status, headers['location']]).toEqual([201, `${FILES}/fs/admin/new.pcap`]);
    const item = JSON.parse(body.toString()) as Record<string, unknown>;
    expect(item).toMatchObject({ id: '/admin/new.pcap', type: 'FILE', size, file: { size } });
    expect(contentOf('admin/new.pcap').equals(bytes)).toBe(true);
    expect(statSync(join(server.folder, 'admin/new.pcap')).mode & 0o777).toBe(0o600);
    expect(server.names('admin')).toEqual(['new.pcap']);
    expect((await server.json('/fs/admin/new.pcap')).size).toBe(size);
  });

  it('comes in any type, in chunks too, and is not read as what it is called', async () => {
    for (const type of ['application/json', 'text/plain; charset=utf-8', 'multipart/form-data; boundary=x', 'application/x-pcap']) {
      const { status } = await server.upload('admin', `${type.length}`, '{"half', {
        headers: { 'content-type': type, 'transfer-encoding': 'chunked' },
      });
      expect([type, status, contentOf(`admin/${type.length}`).toString()]).toEqual([type, 201, '{"half']);
    }
    const untyped = `POST ${FILES}/fs/admin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Disposition: untyped\r\nContent-Length: 2\r\n\r\nhi`;
    expect(await server.send(untyped)).toMatch(/^HTTP\/1.1 201 /);
    expect(contentOf('admin/untyped').toString()).toBe('hi');
  });

  it.each([
    ['plain.pcap', 'plain.pcap'],
    [' a b ', 'a b'],
    ['a=b;c.pcap', 'a=b;c.pcap'],
    ['attachment; filename=x.pcap', 'x.pcap'],
    ['Attachment;FileName = "x y.pcap"', 'x y.pcap'],
    ['filename="q\\"uo.pcap"', 'q"uo.pcap'],
    ['filename=x.pcap; size=3', 'x.pcap'],
    [Buffer.from('Wörter.pcap').toString('latin1'), 'Wörter.pcap'],
    ['"quoted"', '"quoted"'],
  ])('named %j is %j', async (header, name) => {
    const { status, headers } = await server.upload('admin', header, Buffer.from('x'));
    expect([status, server.names('admin')]).toEqual([201, [name]]);
    expect(decodeURIComponent(headers['location']!)).toBe(`${FILES}/fs/admin/${name}`);
    expect((await server.ask(headers['location']!.slice(FILES.length))).status).toBe(200);
  });

  it.each([
    [undefined],
    [''],
    ['..'],
    ['.'],
    ['a/b'],
    ['/etc/passwd'],
    ['../x'],
    ['attachment; name=x'],
    ['filename='],
    ['filename="../x"'],
    ['.spillway-0123456789abcdef.part'],
    ['a'.repeat(256)],
    ['tab\tbed'],
  ])('named %j is refused', async (header) => {
    const headers = header === undefined ? {} : { 'content-disposition': header };
    expect(await server.refusal('/fs/admin', { method: 'POST', body: 'x', headers })).toEqual([400, 'FILE_NAME_INVALID']);
    expect(server.names()).toEqual(['admin']);
  });

  it('under a name of four megabytes is none', async () => {
    const head = `POST ${FILES}/fs/admin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Disposition: ${'x'.repeat(4 << 20)}\r\n\r\nx`;
    const answer = await server.send(head);
    // Where the client still sends, it may be cut off before it reads.
    if (answer !== '') expect(answer).toMatch(/^HTTP\/1.1 431 /);
    expect(server.names('admin')).toEqual([]);
    expect((await server.ask('/fs')).status).toBe(200);
  });

  it('takes the place of nothing', async () => {
    writeFileSync(join(server.folder, 'admin/there'), 'first');
    symlinkSync('nowhere', join(server.folder, 'admin/link'));
    mkdirSync(join(server.folder, 'admin/folder'));
    for (const name of ['there', 'link', 'folder']) {
      const answer = await server.upload('admin', name, randomBytes(1 << 20));
      expect([answer.status, errorOf(answer).error_id]).toEqual([409, 'FILE_EXISTS']);
    }
    expect([contentOf('admin/there').toString(), server.names('admin')]).toEqual(['first', ['folder', 'link', 'there']]);
  });

  it('goes into folders only', async () => {
    writeFileSync(join(server.folder, 'admin/file'), 'x');
    symlinkSync('.', join(server.folder, 'admin/loop'));
    const send = (folder: string) => server.refusal(`/fs/${folder}`, { method: 'POST', body: 'x', headers: { 'content-disposition': 'x' } });
    expect(await send('admin/file')).toEqual([409, 'FILE_WRONG_KIND']);
    expect(await send('admin/none')).toEqual([404, 'FILE_NOT_FOUND']);
    expect(await send('admin/loop')).toEqual([404, 'FILE_NOT_FOUND']);
    expect(await send('typo')).toEqual([404, 'FILE_NOT_FOUND']);
    expect(await send(`admin${'/a'.repeat(LIMITS.fileDepth - 1)}`)).toEqual([400, 'FILE_NAME_INVALID']);
    expect(server.names()).toEqual(['admin', 'admin/file', 'admin/loop']);
  });

  it('makes the folder of its owner', async () => {
    expect((await server.upload('ann', 'x', 'x', { as: 'ann' })).status).toBe(201);
    expect(statSync(join(server.folder, 'ann')).mode & 0o777).toBe(0o700);
    expect((await server.json('/fs/ann/x', { as: 'ann' })).id).toBe('/ann/x');
  });

  it('of the same name twice at once is one file, and one refusal', async () => {
    const [one, two] = [randomBytes(2 << 20), randomBytes(2 << 20)];
    const first = await begin('admin', 'same', one.subarray(0, 1 << 20));
    const second = await begin('admin', 'same', two.subarray(0, 1 << 20));
    await until(() => server.names('admin').length === 2);
    second.end(two.subarray(1 << 20));
    expect((await answerTo(second)).status).toBe(201);
    first.end(one.subarray(1 << 20));
    const refused = await answerTo(first);
    expect([refused.status, JSON.parse(refused.body).error_id]).toEqual([409, 'FILE_EXISTS']);
    expect([server.names('admin'), contentOf('admin/same').equals(two)]).toEqual([['same'], true]);
  });

  it.each<[string, Record<string, string>]>([
    ['with a length', { 'content-length': String(4 << 20) }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('that is cut leaves nothing (%s)', async (_what, headers) => {
    const asked = await begin('admin', 'cut', randomBytes(1 << 20), headers);
    asked.destroy();
    await until(() => server.names('admin').length === 0, 'the part file to go');
    expect((await server.upload('admin', 'cut', 'whole')).status).toBe(201);
  });

  it('is not cut by a deleted folder, but fails', async () => {
    mkdirSync(join(server.folder, 'admin/gone'));
    const asked = await begin('admin/gone', 'x', randomBytes(1000));
    rmSync(join(server.folder, 'admin/gone'), { recursive: true });
    asked.end();
    expect((await answerTo(asked)).status).toBe(404);
    expect(server.names()).toEqual(['admin']);
  });
});

it('reads a name in Latin-1 too', () => expect(nameIn('W\u00f6rter.pcap')).toBe('Wörter.pcap'));

describe('a refused upload', () => {
  it('is answered when it is sent, and its connection goes on', async () => {
    writeFileSync(join(server.folder, 'admin/there'), '');
    const size = 8 << 20;
    const head = (name: string, length: number, more = '') =>
      `POST ${FILES}/fs/admin HTTP/1.1\r\nHost: localhost\r\nContent-Disposition: ${name}\r\nContent-Length: ${length}\r\n${more}\r\n`;
    const answer = await server.send(head('there', size) + 'x'.repeat(size) + head('next', 2, 'Connection: close\r\n') + 'ok');
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 409', 'HTTP/1.1 201']);
    expect(contentOf('admin/next').toString()).toBe('ok');
  });
});

describe('a folder', () => {
  const make = (folder: string, name: string, more: FileAsk = {}) =>
    server.ask(`/fs/${folder}`, {
      method: 'POST',
      ...more,
      headers: { 'content-disposition': name, 'content-type': 'application/x-shark-directory', ...more.headers },
    });

  it('is made by its type, without a body', async () => {
    const { status, headers, body } = await make('/admin', 'new');
    expect([status, headers['location']]).toEqual([201, `${FILES}/fs/admin/new`]);
    expect(JSON.parse(body.toString())).toMatchObject({ id: '/admin/new', type: 'DIRECTORY', files: { items: [] }, dirs: { items: [] } });
    expect((await make('/admin/new', 'inner', { headers: { 'content-type': 'Application/X-Shark-Directory; charset=utf-8' } })).status).toBe(201);
    expect(statSync(join(server.folder, 'admin/new/inner')).mode & 0o777).toBe(0o700);
  });

  it('is refused where it can not be', async () => {
    writeFileSync(join(server.folder, 'admin/there'), '');
    const refused = async (...given: Parameters<typeof make>): Promise<[number, string]> => {
      const answer = await make(...given);
      return [answer.status, errorOf(answer).error_id];
    };
    expect(await refused('admin', 'there')).toEqual([409, 'FILE_EXISTS']);
    expect(await refused('admin', 'x', { body: 'a body' })).toEqual([400, 'REQUEST_INVALID']);
    expect(await refused('admin', '..')).toEqual([400, 'FILE_NAME_INVALID']);
    expect(await refused('admin', 'a/b')).toEqual([400, 'FILE_NAME_INVALID']);
    expect(await refused('admin/none', 'x')).toEqual([404, 'FILE_NOT_FOUND']);
    expect(await refused('', 'owner')).toEqual([400, 'FILE_NAME_INVALID']);
    expect(server.names()).toEqual(['admin', 'admin/there']);
  });
});

describe.runIf(requireOrSkip('the right to mount a file system', canMount()))('on a full disk', () => {
  it('is told, and leaves nothing', async () => {
    const disk = join(server.folder, 'small');
    await withSmallDisk(disk, async () => {
      expect((await server.upload('small', 'fits', randomBytes(1000))).status).toBe(201);
      for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
        const answer = await server.upload('small', 'large', randomBytes(3 << 20), { headers });
        expect([answer.status, errorOf(answer).error_id]).toEqual([507, 'DISK_FULL']);
      }
      writeFileSync(join(server.folder, 'admin/large'), randomBytes(2 << 20));
      expect(await server.refusal('/fileop/copy/admin/large', { body: { destination: '/small' } })).toEqual([507, 'DISK_FULL']);
      expect(await server.refusal('/fileop/move/admin/large', { body: { destination: '/small' } })).toEqual([400, 'DESTINATION_INVALID']);
      expect([readdirSync(disk), server.names('admin')]).toEqual([['fits'], ['large']]);
    });
  });
});
