import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decompress } from 'zstd-napi';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.js';
import { SpillwayError } from '../../src/errors.js';
import { FakeEngine, Gate, until } from '../export/fakes.js';
import { packetsOf, pcap, udpFrame, type TestPacket } from './captures.js';
import { BASE, TestProbe, errorOf } from './server.js';

interface Status {
  status: { state: string; error?: { error_id: string } };
}
const state = async (probe: TestProbe, id: string): Promise<string> => (await probe.json<Status>(`${BASE}/exports/items/${id}`)).status.state;

/** A client that has the headers of its response and reads nothing of the body. */
async function begin(probe: TestProbe, id: string): Promise<IncomingMessage> {
  const asked = request({ host: '127.0.0.1', port: probe.port, path: `${BASE}/packets/items/${id}`, agent: false });
  asked.on('error', () => undefined);
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}
const isComplete = async (response: IncomingMessage): Promise<boolean> => {
  response.resume();
  await new Promise((resolve) => response.once('close', resolve));
  return response.complete;
};
const openDescriptors = (): string[] => readdirSync('/proc/self/fd');

describe('with the engine', () => {
  let probe: TestProbe;
  const big: TestPacket[] = Array.from({ length: 30_000 }, (_, i) => ({
    ns: BigInt(i) * 1_000_000n + 10n ** 18n,
    bytes: randomFillSync(udpFrame(i, 53, 1400), 42),
  }));
  beforeAll(async () => {
    probe = await TestProbe.start();
    writeFileSync(join(probe.data.path, 'fs/admin/big one.pcap'), pcap(big));
  });
  afterAll(() => probe.stop());
  const create = (): Promise<string> => probe.create({ path: 'fs/admin/big one.pcap', output_format: 'PCAP_NS' });

  it('packets come in chunks, under a name, and not by ranges', async () => {
    const id = await create();
    const { status, headers, body, complete } = await probe.ask(`${BASE}/packets/items/${id}`, {
      headers: { 'accept-encoding': 'gzip, deflate, br, zstd', range: 'bytes=0-9' },
    });
    expect([status, complete]).toEqual([200, true]);
    expect(headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename=big_one-${id.slice(0, 8)}.pcap`,
      'accept-ranges': 'none',
      'transfer-encoding': 'chunked',
    });
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['content-length']).toBeUndefined();
    expect(packetsOf(body).length).toBe(big.length);
    expect(headers['content-disposition']!.split('=')).toHaveLength(2);
  });

  it.each([
    ['zstd', '?compress=zstd', {}, (body: Buffer) => decompress(body)],
    ['gzip', '?compress=gzip', {}, (body: Buffer) => gunzipSync(body)],
    ['gzip', '', { 'accept-encoding': 'gzip, identity;q=0' }, (body: Buffer) => gunzipSync(body)],
  ])('are compressed with %s for %j %j', async (coding, query, headers, expand) => {
    const id = await create();
    const answer = await probe.ask(`${BASE}/packets/items/${id}${query}`, { headers });
    expect([answer.status, answer.complete, answer.headers['content-encoding']]).toEqual([200, true, coding]);
    const whole = expand(answer.body);
    expect(packetsOf(whole).length).toBe(big.length);
    const { status } = await probe.json<{ status: { stats: { exported_bytes: number } } }>(`${BASE}/exports/items/${id}`);
    expect(status.stats.exported_bytes).toBe(whole.length);
  });

  it('are not begun by a coding that is not served', async () => {
    const id = await create();
    expect((await probe.ask(`${BASE}/packets/items/${id}?compress=lz4`)).status).toBe(400);
    expect(await state(probe, id)).toBe('RUNNING');
  });

  it('that a client leaves leave nothing behind', async () => {
    const before = openDescriptors().length;
    for (const query of ['', '?compress=zstd', '?compress=gzip']) {
      const id = await create();
      const response = await begin(probe, `${id}${query}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await state(probe, id)).toBe('STREAMING');
      response.destroy();
      await until(async () => (await state(probe, id)) === 'ERRORS');
      const { status } = await probe.json<Status>(`${BASE}/exports/items/${id}`);
      expect(status.error).toMatchObject({ error_id: 'CLIENT_LEFT' });
      const again = await probe.ask(`${BASE}/packets/items/${id}`);
      expect([again.status, errorOf(again).error_text]).toEqual([409, expect.stringContaining('CLIENT_LEFT')]);
    }
    await until(() => openDescriptors().length <= before, 'the descriptors to be closed');
  });

  it('of an export that is deleted end broken, not short', async () => {
    const id = await create();
    const response = await begin(probe, id);
    expect((await probe.ask(`${BASE}/exports/items/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await isComplete(response)).toBe(false);
    expect((await probe.ask(`${BASE}/exports/items/${id}`)).status).toBe(404);
  });

  it('go to many clients at once, each its own', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, create));
    const answers = await Promise.all(ids.map((id, i) => probe.ask(`${BASE}/packets/items/${id}${i % 2 === 0 ? '' : '?compress=zstd'}`)));
    for (const [i, { complete, body }] of answers.entries()) {
      expect(complete).toBe(true);
      expect(packetsOf(i % 2 === 0 ? body : decompress(body)).length).toBe(big.length);
    }
  });

  it('come over HTTP/1.0 as well', async () => {
    const id = await create();
    const answer = await probe.send(`GET ${BASE}/packets/items/${id} HTTP/1.0\r\nHost: localhost\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(packetsOf(Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1')).length).toBe(big.length);
  });
});

describe('with an engine that fails', () => {
  let probe: TestProbe;
  let engine: FakeEngine;
  beforeEach(async () => {
    engine = new FakeEngine();
    probe = await TestProbe.start(engine.prepare);
  });
  afterEach(() => probe.stop());
  const create = (): Promise<string> => probe.create({ path: 'fs/admin/sample.pcap' });

  it.each(['', '?compress=zstd', '?compress=gzip'])('in mid-stream %s, the connection breaks', async (query) => {
    const gate = new Gate();
    engine.runGate = gate.passed;
    // Enough that compressors have something to show before the end.
    engine.pieces = [Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i * 31) >> 7)), Buffer.from('tail')];
    engine.runError = new SpillwayError('SOURCE_UNREADABLE', 'reading failed');
    const id = await create();
    const response = await begin(probe, `${id}${query}`);
    expect(response.statusCode).toBe(200);
    gate.open();
    expect(await isComplete(response)).toBe(false);
    expect(await state(probe, id)).toBe('ERRORS');
  });

  it.each(['', '?compress=zstd', '?compress=gzip'])('before the first byte %s, an error is answered', async (query) => {
    await probe.stop();
    probe = await TestProbe.start(async () => ({
      bytesTotal: 1,
      copiesAll: true,
      linkTypes: [],
      warnings: [],
      run: async (sink) => {
        await sink.abort();
        throw new SpillwayError('OUTPUT_LINK_TYPES', 'two link types');
      },
      explain: async () => [],
      estimate: () => Promise.reject(new Error('not asked for')),
      close: async () => undefined,
    }));
    const id = await create();
    const answer = await probe.ask(`${BASE}/packets/items/${id}${query}`);
    expect([answer.status, errorOf(answer)]).toEqual([409, { error_id: 'OUTPUT_LINK_TYPES', error_text: 'two link types' }]);
    expect(answer.headers['content-disposition']).toBeUndefined();
  });

  it('to find a packet for long, headers come meanwhile', async () => {
    const gate = new Gate();
    const { prepare } = engine;
    await probe.stop();
    probe = await TestProbe.start(async (given) => {
      const prepared = await prepare(given);
      return { ...prepared, run: async (sink, options) => gate.passed.then(() => prepared.run(sink, options)), close: prepared.close };
    });
    const id = await create();
    const began = Date.now();
    const response = await begin(probe, id);
    expect(Date.now() - began).toBeGreaterThanOrEqual(LIMITS.headersAfterMs - 50);
    gate.open();
    expect(await isComplete(response)).toBe(true);
  });

  it('to be ready at once, an early client is held', async () => {
    const gate = new Gate();
    engine.prepareGate = gate.passed;
    const id = await create();
    expect(await state(probe, id)).toBe('INITIALIZING');
    const fetching = probe.ask(`${BASE}/packets/items/${id}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    gate.open();
    const answer = await fetching;
    expect([answer.status, answer.body.toString()]).toEqual([200, 'headtail']);
    expect(await state(probe, id)).toBe('DONE');
  });

  it('to put itself away quickly, the state still follows the last byte', async () => {
    const gate = new Gate();
    const { prepare } = engine;
    await probe.stop();
    probe = await TestProbe.start(async (given) => {
      const prepared = await prepare(given);
      const run: typeof prepared.run = async (sink, options) => {
        const receipt = await prepared.run(sink, options);
        await gate.passed;
        return receipt;
      };
      return { ...prepared, run, close: prepared.close };
    });
    const id = await create();
    expect((await probe.ask(`${BASE}/packets/items/${id}`)).complete).toBe(true);
    setTimeout(gate.open, 100);
    expect(await state(probe, id)).toBe('DONE');
  });

  it('while the probe ends, a client sees that too', async () => {
    engine.runGate = new Promise(() => undefined);
    engine.pieces = [readFileSync(join(probe.data.path, 'fs/admin/sample.pcap')), Buffer.from('tail')];
    const response = await begin(probe, await create());
    await probe.probe.close();
    expect(await isComplete(response)).toBe(false);
    probe = await TestProbe.start(engine.prepare, {}, probe.data);
    const { items } = await probe.json<{ items: Status[] }>(`${BASE}/exports`);
    expect(items.map(({ status }) => [status.state, status.error?.error_id])).toEqual([['ERRORS', 'INTERRUPTED']]);
  });
});
