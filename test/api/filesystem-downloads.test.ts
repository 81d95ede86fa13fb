import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { safeName } from '../../src/api/filesystem/download.js';
import { FILES, FilesServer } from './filesystem-server.js';

let server: FilesServer;
const bytes = randomBytes((3 << 20) + 5);
const size = bytes.length;
const at = (path: string): string => join(server.folder, path);
beforeAll(async () => {
  server = await FilesServer.start();
  writeFileSync(at('admin/x.pcap'), bytes);
  writeFileSync(at('admin/empty'), '');
  mkdirSync(at('admin/folder'));
  symlinkSync('x.pcap', at('admin/link'));
});
afterAll(() => server.stop());

/** A response whose body waits. */
async function begin(id: string): Promise<IncomingMessage> {
  const asked = request({ host: '127.0.0.1', port: server.port, path: `${FILES}/fileop/download/${id}`, agent: false });
  asked.on('error', () => undefined);
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}

async function restOf(response: IncomingMessage): Promise<{ body: Buffer; complete: boolean }> {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => response.once('close', resolve));
  return { body: Buffer.concat(chunks), complete: response.complete };
}

describe('a download', () => {
  it.each(['admin/x.pcap', '/admin/x.pcap', '//admin//x.pcap', '%2fadmin%2Fx.pcap'])('of %s is the file', async (id) => {
    const { status, headers, body, complete } = await server.ask(`/fileop/download/${id}`);
    expect([status, complete, body.equals(bytes)]).toEqual([200, true, true]);
    expect(headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(size),
      'content-disposition': 'attachment; filename=x.pcap',
      'accept-ranges': 'bytes',
      etag: expect.stringMatching(/^"[\w-]+"$/),
    });
    expect(headers['content-encoding']).toBeUndefined();
  });

  it('of nothing is nothing, and whole', async () => {
    const { status, headers, body, complete } = await server.ask('/fileop/download/admin/empty');
    expect([status, headers['content-length'], body.length, complete]).toEqual([200, '0', 0, true]);
  });

  it('is told of by HEAD', async () => {
    const head = await server.ask('/fileop/download/admin/x.pcap', { method: 'HEAD' });
    const get = await server.ask('/fileop/download/admin/x.pcap');
    const { date: _date, ...headers } = get.headers;
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(head.headers).toMatchObject(headers);
  });

  it('of any range is these bytes', async () => {
    const number = fc.oneof(fc.integer({ min: 0, max: size + 10 }), fc.constantFrom(0, 1, size - 1, size, 1 << 20, 2 << 20));
    await fc.assert(
      fc.asyncProperty(number, fc.option(number), async (first, last) => {
        const { status, headers, body } = await server.ask('/fileop/download/admin/x.pcap', { headers: { range: `bytes=${first}-${last ?? ''}` } });
        if (last !== null && last < first) return status === 200 && body.equals(bytes);
        if (first >= size) return status === 416 && headers['content-range'] === `bytes */${size}`;
        const end = last === null ? size : Math.min(last + 1, size);
        return status === 206 && headers['content-range'] === `bytes ${first}-${end - 1}/${size}` && body.equals(bytes.subarray(first, end));
      }),
      { numRuns: 60 },
    );
  });

  it('goes on where it was cut, as long as the file is the same', async () => {
    const path = '/fileop/download/admin/changing';
    writeFileSync(at('admin/changing'), 'one two');
    const { etag } = (await server.ask(path)).headers;
    const resume = () => server.ask(path, { headers: { range: 'bytes=4-', 'if-range': etag! } });
    expect([(await resume()).status, (await resume()).body.toString()]).toEqual([206, 'two']);
    expect((await server.ask(path, { headers: { 'if-none-match': etag! } })).status).toBe(304);
    writeFileSync(at('admin/.new'), 'six ten');
    renameSync(at('admin/.new'), at('admin/changing'));
    expect([(await resume()).status, (await resume()).body.toString()]).toEqual([200, 'six ten']);
    expect((await server.ask(path, { headers: { 'if-none-match': etag! } })).status).toBe(200);
  });

  it('has a tag of its own for each version, however alike', async () => {
    const tags = new Set<string>();
    for (let i = 0; i < 5; i++) {
      writeFileSync(at('admin/alike'), 'same size');
      tags.add((await server.ask('/fileop/download/admin/alike', { method: 'HEAD' })).headers.etag!);
      await new Promise((resolve) => setTimeout(resolve, 12)); // the file system's clock ticks every few milliseconds
    }
    expect(tags.size).toBe(5);
  });

  it('holds on to the file that it began with', async () => {
    writeFileSync(at('admin/taken'), Buffer.alloc(64 << 20, 'a'));
    const response = await begin('admin/taken');
    unlinkSync(at('admin/taken'));
    writeFileSync(at('admin/taken'), 'b');
    const { body, complete } = await restOf(response);
    expect([complete, body.length, body.includes('b')]).toEqual([true, 64 << 20, false]);
  });

  it('of a file that shrinks meanwhile breaks, and is never whole', async () => {
    writeFileSync(at('admin/shrinking'), Buffer.alloc(64 << 20, 'a'));
    const response = await begin('admin/shrinking');
    truncateSync(at('admin/shrinking'), 1);
    const { body, complete } = await restOf(response);
    expect([response.headers['content-length'], complete]).toEqual([String(64 << 20), false]);
    expect(body.length).toBeLessThan(64 << 20);
  });

  it.each([
    ['admin/folder', 409, 'FILE_WRONG_KIND'],
    ['admin', 409, 'FILE_WRONG_KIND'],
    ['admin/link', 404, 'FILE_NOT_FOUND'],
    ['admin/none', 404, 'FILE_NOT_FOUND'],
  ])('of %s is refused', async (id, status, code) => {
    expect(await server.refusal(`/fileop/download/${id}`)).toEqual([status, code]);
  });
});

describe('the name that a download suggests', () => {
  it.each([
    ['x.pcap', 'x.pcap'],
    ['a b=c"d;.pcapng', 'a_b_c_d_.pcapng'],
    ['..hidden', 'hidden'],
    ['ünï.pcap', 'n_.pcap'],
    ['日本', 'file'],
    [`${'a'.repeat(200)}.pcap`, `${'a'.repeat(95)}.pcap`],
    ['a\r\nset-cookie: x', 'a_set-cookie_x'],
  ])('of %j is %j', (name, safe) => expect(safeName(name)).toBe(safe));
});
