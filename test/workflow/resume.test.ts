/** Links that drop while a spooled export is fetched: by ranges the client comes to the same bytes as without. */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packetsOf, pcap, udpFrame } from '../api/captures.js';
import { BASE, errorOf, TestProbe } from '../api/server.js';
import { until } from '../export/fakes.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { chance } from '../support/chance.js';
import { payload } from '../support/build.js';

/** Several chunks of the server's, and more than a socket's buffers hold. */
const PACKETS = 12_000;

let probe: TestProbe;
let legacy: Buffer;
const wanted = { path: 'fs/admin/big.pcap', filters: { items: [{ id: 'a', type: 'BPF', value: 'udp port 53' }] } };

beforeAll(async () => {
  probe = await TestProbe.start();
  const packets = Array.from({ length: PACKETS }, (_, i) => {
    const bytes = udpFrame(i, i % 10 === 0 ? 54 : 53, 1000);
    bytes.set(payload(900, i), 60);
    return { ns: BigInt(i) * 1_000_000n + 10n ** 18n, bytes };
  });
  writeFileSync(join(probe.data.path, 'fs/admin/big.pcap'), pcap(packets));
  legacy = (await probe.ask(`${BASE}/packets/items/${await probe.create(wanted)}`)).body;
});
afterAll(() => probe.stop());

const state = async (id: string): Promise<string> => (await probe.json<{ status: { state: string } }>(`${BASE}/exports/items/${id}`)).status.state;

interface Part {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
}

/** Takes at least `most` bytes of the body, and then the link drops. */
async function fetchSome(id: string, most: number, headers: OutgoingHttpHeaders = {}): Promise<Part> {
  const asked = request({ host: '127.0.0.1', port: probe.port, path: `${BASE}/packets/items/${id}`, agent: false, headers });
  asked.on('error', () => undefined);
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let length = 0;
  const over = new Promise((resolve) => response.once('close', resolve));
  response.on('error', () => undefined);
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= most) response.destroy();
  });
  await over;
  return { status: response.statusCode!, headers: response.headers, bytes: Buffer.concat(chunks) };
}

describe('a spooled export whose link drops', () => {
  it('is fetched to its end in parts, the same as in one go and as LEGACY gives it', async () => {
    expect(packetsOf(legacy).length).toBe((PACKETS * 9) / 10);
    const id = await probe.create({ ...wanted, mode: 'BUFFER_STREAM' });
    const random = chance(41);
    const got: Buffer[] = [];
    let have = 0;
    let etag = '';
    let parts = 0;
    for (; have < legacy.length; parts++) {
      const left = legacy.length - have;
      // Cut anywhere: nearly at once, in the middle, right before the end.
      const most =
        parts === 0
          ? 1
          : parts > 8
            ? Infinity
            : [1 + Math.floor(random() * left), 1 + Math.floor(random() * 1000), Math.max(1, left - 1)][parts % 3]!;
      const part = await fetchSome(id, most, have === 0 ? {} : { range: `bytes=${have}-`, 'if-range': etag });
      expect(part.status).toBe(have === 0 ? 200 : 206);
      if (have === 0) etag = part.headers.etag!;
      expect(part.headers).toMatchObject({ etag, 'accept-ranges': 'bytes' });
      if (have > 0) expect(part.headers['content-range']).toBe(`bytes ${have}-${legacy.length - 1}/${legacy.length}`);
      // More than `most` may have been on its way; what the client keeps is what it counts.
      const kept = part.bytes.subarray(0, Math.min(most, part.bytes.length));
      got.push(kept);
      have += kept.length;
      await until(async () => (await state(id)) !== 'STREAMING', 'the server to see it');
    }
    expect(parts).toBeGreaterThan(3);
    expect(etag).toMatch(/^"[^"]+"$/);
    expect(Buffer.concat(got).equals(legacy)).toBe(true);
    const whole = await probe.ask(`${BASE}/packets/items/${id}`);
    expect([whole.status, whole.headers.etag, whole.body.equals(legacy)]).toEqual([200, etag, true]);
    expect(await state(id)).toBe('DONE');
  });

  it('is READY where its client left, and DONE once one had the end', async () => {
    const id = await probe.create({ ...wanted, mode: 'BUFFER_STREAM' });
    await fetchSome(id, 1);
    await until(async () => (await state(id)) === 'READY');
    await fetchSome(id, Infinity, { range: `bytes=${legacy.length - 5}-` });
    await until(async () => (await state(id)) === 'DONE');
  });

  it.each([
    ['another tag', '"0000"'],
    ['a weak one', 'W/"x"'],
    ['a date', 'Wed, 21 Oct 2015 07:28:00 GMT'],
    ['no tag at all', 'x'],
  ])('gives everything where If-Range has %s', async (_what, ifRange) => {
    const id = await probe.create({ ...wanted, mode: 'BUFFER_STREAM' });
    const { status, headers, body } = await probe.ask(`${BASE}/packets/items/${id}`, { headers: { range: 'bytes=1000-', 'if-range': ifRange } });
    expect([status, headers['content-range'], body.equals(legacy)]).toEqual([200, undefined, true]);
  });

  it('of the same request has the same tag, of another one another', async () => {
    const tagOf = async (config: object): Promise<string> =>
      (await probe.ask(`${BASE}/packets/items/${await probe.create({ mode: 'BUFFER_STREAM', ...config })}`)).headers.etag!;
    const [one, same, other] = [await tagOf(wanted), await tagOf(wanted), await tagOf({ ...wanted, snap_length: 60 })];
    expect(one).toBe(same);
    expect(one).not.toBe(other);
  });

  it('has no range behind its end', async () => {
    const id = await probe.create({ ...wanted, mode: 'BUFFER_STREAM' });
    const answer = await probe.ask(`${BASE}/packets/items/${id}`, { headers: { range: `bytes=${legacy.length}-` } });
    expect([answer.status, answer.headers['content-range'], errorOf(answer).error_id]).toEqual([416, `bytes */${legacy.length}`, 'RANGE_INVALID']);
    expect(await state(id)).toBe('READY');
  });

  it('is never compressed in parts', async () => {
    const id = await probe.create({ ...wanted, mode: 'BUFFER_STREAM' });
    const headers = { range: 'bytes=100-199', 'accept-encoding': 'gzip, deflate' };
    const part = await probe.ask(`${BASE}/packets/items/${id}`, { headers });
    expect([part.status, part.headers['content-encoding'], part.body.equals(legacy.subarray(100, 200))]).toEqual([206, undefined, true]);
    for (const refusing of ['gzip, identity;q=0', 'identity;q=0']) {
      const {
        status,
        headers: told,
        body,
      } = await probe.ask(`${BASE}/packets/items/${id}`, { headers: { ...headers, 'accept-encoding': refusing } });
      expect([status, told['content-encoding'], told['content-range']], body.toString('latin1', 0, 200)).toEqual([200, 'gzip', undefined]);
    }
  });
});

describe.runIf(requireOrSkip('curl', hasProgram('curl')))('curl', () => {
  const curl = (...args: string[]): ReturnType<typeof spawn> => spawn('curl', ['-sS', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });

  it('that is interrupted goes on with -C -', async () => {
    const id = await probe.create({ ...wanted, mode: 'BUFFER_STREAM' });
    const url = `${probe.probe.address}${BASE}/packets/items/${id}`;
    const file = join(probe.data.path, '..', 'fetched.pcap');
    const first = curl('--limit-rate', '2M', '-o', file, url);
    const size = (): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    await until(() => size() > 100_000, 'the first bytes');
    const ended = once(first, 'exit');
    first.kill('SIGKILL');
    await ended;
    expect(size()).toBeLessThan(legacy.length);
    expect(await once(curl('-C', '-', '-o', file, url), 'exit')).toEqual([0, null]);
    expect(readFileSync(file).equals(legacy)).toBe(true);
  });
});
