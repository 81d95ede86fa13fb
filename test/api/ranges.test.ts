import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handleErrors } from '../../src/api/errors.js';
import { partOf, sendRange, type Bytes } from '../../src/api/ranges.js';
import { LIMITS } from '../../src/config.js';
import { askAt, type Answer } from './server.js';

const ETAG = '"one"';
const HEADERS = { 'content-type': 'application/octet-stream', 'cache-control': 'private' };
const whole = randomBytes(3 * LIMITS.httpChunkBytes + 1234);
/** Gives what `Bytes` may: less than was asked for. */
const short: Bytes = {
  sizeBytes: whole.length,
  read: async (into, offset) => whole.copy(into, 0, offset, offset + Math.min(into.length, 100_000)),
};
const bodies: Record<string, Bytes> = {
  whole: { sizeBytes: whole.length, read: async (into, offset) => whole.copy(into, 0, offset) },
  short,
  empty: { sizeBytes: 0, read: async () => 0 },
  cut: { sizeBytes: whole.length, read: async (into, offset) => whole.subarray(0, 700_000).copy(into, 0, offset) },
  gone: { sizeBytes: whole.length, read: async () => 0 },
};

let app: FastifyInstance;
let port: number;
beforeAll(async () => {
  app = Fastify({ forceCloseConnections: true });
  handleErrors(app);
  app.get('/:name', async (request, reply) => {
    await sendRange(reply, bodies[(request.params as { name: string }).name]!, { etag: ETAG, headers: HEADERS });
    return reply;
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = (app.server.address() as AddressInfo).port;
});
afterAll(() => app.close());

const get = (name: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> => askAt(port, `/${name}`, { method, headers });

const size = whole.length;

describe('a Range header', () => {
  it.each<[string | undefined, number, ReturnType<typeof partOf>]>([
    [undefined, 10, 'all'],
    ['bytes=0-0', 10, { start: 0, end: 1 }],
    ['bytes=0-9', 10, { start: 0, end: 10 }],
    ['bytes=0-', 10, { start: 0, end: 10 }],
    ['bytes=9-', 10, { start: 9, end: 10 }],
    ['bytes=3-99999999999999999999999', 10, { start: 3, end: 10 }],
    ['bytes=-1', 10, { start: 9, end: 10 }],
    ['bytes=-10', 10, { start: 0, end: 10 }],
    ['bytes=-11', 10, { start: 0, end: 10 }],
    ['BYTES= 2-3 ', 10, { start: 2, end: 4 }],
    ['bytes=10-', 10, 'none'],
    ['bytes=10-20', 10, 'none'],
    ['bytes=99999999999999999999999-', 10, 'none'],
    ['bytes=-0', 10, 'none'],
    ['bytes=5-3', 10, 'all'],
    ['bytes=-', 10, 'all'],
    ['bytes=', 10, 'all'],
    ['bytes=a-b', 10, 'all'],
    ['bytes=0x1-2', 10, 'all'],
    ['bytes=--1', 10, 'all'],
    ['bytes=0-1,3-4', 10, 'all'],
    ['bytes=1.5-2', 10, 'all'],
    ['packets=0-1', 10, 'all'],
    ['0-1', 10, 'all'],
    ['bytes=0-', 0, 'all'],
    ['bytes=-5', 0, 'all'],
  ])('%j of %i bytes', (header, bytes, part) => expect(partOf(header, bytes)).toEqual(part));
});

describe('what is sent', () => {
  it.each(['whole', 'short'])('is everything, with its length (%s)', async (name) => {
    const { status, headers, body, complete } = await get(name);
    expect([status, complete]).toEqual([200, true]);
    expect(headers).toMatchObject({ ...HEADERS, etag: ETAG, 'accept-ranges': 'bytes', 'content-length': String(size) });
    expect(headers['content-range']).toBeUndefined();
    expect(headers['transfer-encoding']).toBeUndefined();
    expect(body.equals(whole)).toBe(true);
  });

  it('is a range, to the byte', async () => {
    const { status, headers, body } = await get('whole', { range: 'bytes=1-4' });
    expect([status, headers['content-range'], headers['content-length'], headers['etag']]).toEqual([206, `bytes 1-4/${size}`, '4', ETAG]);
    expect(body).toEqual(whole.subarray(1, 5));
  });

  it('is any range, to the byte', async () => {
    const place = fc.integer({ min: 0, max: size - 1 });
    await fc.assert(
      fc.asyncProperty(place, place, fc.constantFrom('short', 'whole'), async (a, b, name) => {
        const [first, last] = a < b ? [a, b] : [b, a];
        const { status, body } = await get(name, { range: `bytes=${first}-${last}` });
        return status === 206 && body.equals(whole.subarray(first, last + 1));
      }),
      { numRuns: 60 },
    );
  });

  it('is nothing behind the end, and says how much there is', async () => {
    const { status, headers, body } = await get('whole', { range: `bytes=${size}-` });
    expect([status, headers['content-range'], JSON.parse(body.toString()).error_id]).toEqual([416, `bytes */${size}`, 'RANGE_INVALID']);
    expect(Object.keys(JSON.parse(body.toString()))).toEqual(['error_id', 'error_text']);
    expect(headers['content-type']).toMatch(/^application\/json/);
  });

  it('is the empty body of something empty, whatever is asked for', async () => {
    for (const range of ['bytes=0-', 'bytes=-5', 'bytes=7-9']) {
      const { status, headers, body, complete } = await get('empty', { range });
      expect([status, headers['content-length'], body.length, complete]).toEqual([200, '0', 0, true]);
    }
  });

  it.each<[string, Record<string, string>, number]>([
    ['the version there is', { 'if-range': ETAG }, 206],
    ['another version', { 'if-range': '"two"' }, 200],
    ['a weak tag', { 'if-range': `W/${ETAG}` }, 200],
    ['a date', { 'if-range': 'Wed, 21 Oct 2026 07:28:00 GMT' }, 200],
    ['the version there is, which the client has', { 'if-none-match': ETAG }, 304],
    ['one of several versions', { 'if-none-match': `"zero", W/${ETAG}` }, 304],
    ['any version', { 'if-none-match': '*' }, 304],
    ['none of the versions', { 'if-none-match': '"zero","two"' }, 206],
    ['exactly this version', { 'if-match': `"zero", ${ETAG}` }, 206],
    ['exactly any version', { 'if-match': '*' }, 206],
    ['exactly another', { 'if-match': '"two"' }, 412],
    ['exactly a weak one', { 'if-match': `W/${ETAG}` }, 412],
  ])('heeds %s', async (_what, headers, status) => {
    const got = await get('whole', { range: 'bytes=5-9', ...headers });
    expect(got.status).toBe(status);
    if (status === 304) {
      expect([got.body.length, got.headers['etag'], got.headers['cache-control']]).toEqual([0, ETAG, 'private']);
      expect(got.headers['content-type']).toBeUndefined();
    }
    if (status === 412) expect(JSON.parse(got.body.toString()).error_id).toBe('PRECONDITION_FAILED');
    if (status < 300) expect(got.body.length).toBe(status === 206 ? 5 : size);
  });

  it('of HEAD is the headers alone, those of everything', async () => {
    const { status, headers, body } = await get('whole', { range: 'bytes=0-1' }, 'HEAD');
    expect([status, headers['content-length'], headers['etag'], headers['accept-ranges'], body.length]).toEqual([
      200,
      String(size),
      ETAG,
      'bytes',
      0,
    ]);
  });

  it('breaks with its connection where the bytes end early', async () => {
    const { status, headers, body, complete } = await get('cut');
    expect([status, headers['content-length'], complete]).toEqual([200, String(size), false]);
    expect(body.length).toBeLessThan(size);
  });

  it('is an error where there is not even a first byte', async () => {
    const { status, body } = await get('gone');
    expect([status, JSON.parse(body.toString()).error_id]).toEqual([409, 'FILE_CHANGED']);
  });

  it('reads no further ahead than a client takes', async () => {
    let read = 0;
    bodies['slow'] = { sizeBytes: 1 << 30, read: async (into) => ((read += into.length), into.length) };
    const asked = request({ host: '127.0.0.1', port, path: '/slow' });
    asked.on('error', () => undefined);
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    for (let before = -1; before !== read; await new Promise((resolve) => setTimeout(resolve, 50))) before = read;
    expect(read).toBeLessThan(32 << 20);
    response.destroy();
  });
});
