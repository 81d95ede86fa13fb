/** npm.clips 1.0: what is kept, what is told of it, who may change it, and what is refused. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, type Caller } from '../../src/access/caller.js';
import { clipsService } from '../../src/api/clips/service.js';
import { Clips } from '../../src/buffer/clips.js';
import { Jobs, KEEP_ALL, type Job } from '../../src/buffer/jobs.js';
import { lossFile, lossRecord, FakeBuffer } from '../support/buffer.js';
import { TemporaryData } from '../export/fakes.js';
import { udpFrame } from './captures.js';
import { serveAs } from './serve.js';

const BASE = '/api/npm.clips/1.0';
const S = 1_000_000_000n;
/** Packets of a job: a second apart from here on, a segment each. */
const T0 = 1_700_000_000n;

interface Clip {
  id: string;
  config: Record<string, unknown>;
  status: Record<string, unknown>;
}
interface Answer<T> {
  status: number;
  body: T & { error_id?: string; error_text?: string };
  location: string | undefined;
}

const ann: Caller = { name: 'ann', role: 'operator', sources: ['jobs/uplink'] };
const bob: Caller = { name: 'bob', role: 'operator', sources: ['jobs/uplink'] };
const eve: Caller = { name: 'eve', role: 'operator', sources: ['fs/*'] };

const data = new TemporaryData();
const jobs = new Jobs(data.path);
let app: FastifyInstance;
let caller: Caller = ADMIN;
let job: Job;
let folder: string;

beforeAll(async () => {
  app = await serveAs(() => caller, [clipsService({ jobs, clips: new Clips(jobs) })]);
  job = await jobs.put('uplink', { ...KEEP_ALL, interfaces: ['va'] });
  folder = join(job.folder, '0-va');
  const buffer = new FakeBuffer(folder);
  for (let n = 0n; n < 6n; n++) {
    buffer.store([{ ticks: (T0 + n) * S, data: udpFrame(1000 + Number(n), 53) }]);
    buffer.seal();
  }
  writeFileSync(join(folder, 'losses'), lossFile([lossRecord(1, (T0 + 2n) * S, (T0 + 3n) * S, 7n), lossRecord(2, (T0 + 5n) * S, (T0 + 6n) * S, 5n)]));
});
afterAll(async () => {
  await app.close();
  data.remove();
});

async function ask<T = Clip>(path: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE' = 'GET', body?: object, as: Caller = ADMIN): Promise<Answer<T>> {
  caller = as;
  const answer = await app.inject({ method, url: `${BASE}${path}`, headers: { host: 'localhost' }, ...(body && { payload: body }) });
  const location = answer.headers.location;
  return { status: answer.statusCode, body: (answer.body === '' ? {} : JSON.parse(answer.body)) as Answer<T>['body'], location };
}

const create = (config: object, as?: Caller): Promise<Answer<Clip>> => ask('/clips', 'POST', { config: { job_id: job.id, ...config } }, as);
const pins = (): number[] =>
  readdirSync(folder)
    .filter((name) => name.includes('.pin-'))
    .map((name) => Number.parseInt(name, 10))
    .sort();
const remove = (id: string, as?: Caller): Promise<Answer<object>> => ask<object>(`/clips/items/${id}`, 'DELETE', undefined, as);

it('the definition has the names and addresses that clients bind to', async () => {
  const { body } = await ask<{ resources: Record<string, { links: Record<string, object> }> }>('');
  expect(Object.entries(body.resources).map(([name, { links }]) => [name, links['self'], Object.keys(links).slice(1)])).toEqual([
    ['clips', { path: '$/clips' }, ['get', 'create']],
    ['clip', { path: '$/clips/items/{id}' }, ['get', 'set', 'delete']],
  ]);
});

describe('a clip', () => {
  it('is made, listed, read, written back as it was read, and removed', async () => {
    const times = { start_time: String(T0 + 1n), end_time: `${T0 + 4n}.0` };
    const before = Date.now() / 1000;
    const made = await create({ ...times, description: 'the outage' });
    expect(made.status).toBe(201);
    const clip = made.body;
    expect(made.location).toBe(`${BASE}/clips/items/${clip.id}`);
    expect(clip.id).toMatch(new RegExp(`^${job.id}[0-9a-f]{4}$`));
    expect(clip.config).toEqual({ job_id: job.id, ...times, description: 'the outage', filters: { items: [] } });
    expect(clip.status).toEqual({
      creation_time: expect.stringMatching(/^\d{10}\.\d{9}$/),
      modification_time: clip.status['creation_time'],
      estimated_size: expect.any(Number),
      locked: true,
      packets_dropped: 7,
      packets_written: 3,
    });
    expect(Number(clip.status['creation_time'])).toBeGreaterThan(before - 1);
    expect(clip.status['estimated_size']).toBeGreaterThan(300);
    expect(pins()).toEqual([2, 3, 4]);
    expect((await ask<object>('/clips')).body).toEqual({ items: [clip] });
    expect((await ask(`/clips/items/${clip.id}`)).body).toEqual(clip);
    const file = join(job.folder, 'clips', `${clip.id}.json`);
    const sum = (): string => createHash('md5').update(readFileSync(file)).digest('hex');
    const was = sum();
    const set = await ask(`/clips/items/${clip.id}`, 'PUT', clip);
    expect([set.status, set.body, sum()]).toEqual([200, clip, was]);
    expect(await remove(clip.id)).toMatchObject({ status: 204, body: {} });
    expect([pins(), existsSync(file)]).toEqual([[], false]);
    expect((await ask(`/clips/items/${clip.id}`)).status).toBe(404);
  });

  it.each([{}, { start_time: '0', end_time: '0' }, { start_time: 'None', end_time: 'None' }])('with %j holds all there is', async (times) => {
    const { status, body: clip } = await create(times);
    expect(status).toBe(201);
    expect(clip.config).toMatchObject(times);
    expect(clip.config['start_time']).toMatch(/^(0|None)$/);
    expect(clip.config['end_time']).toMatch(/^(0|None|\d{10}\.\d{9})$/);
    expect(clip.status).toMatchObject({ packets_written: 6, packets_dropped: 12 });
    expect((await ask(`/clips/items/${clip.id}`, 'PUT', clip)).body).toEqual(clip);
    await remove(clip.id);
  });

  it('can be described anew, and filtered otherwise; job and range stay', async () => {
    const { body: clip } = await create({ start_time: `${T0}`, end_time: `${T0 + 2n}` });
    const path = `/clips/items/${clip.id}`;
    const filters = { items: [{ id: 'f', type: 'BPF', value: 'udp port 1001', context: 'USER' }] };
    const changed = (await ask(path, 'PUT', { config: { description: 'b', filters } })).body;
    expect(changed.config).toEqual({ ...clip.config, description: 'b', filters });
    expect(Number(changed.status['modification_time'])).toBeGreaterThan(Number(clip.status['creation_time']));
    expect(changed.status['creation_time']).toBe(clip.status['creation_time']);
    for (const config of [{ job_id: 'another' }, { start_time: '1' }, { start_time: '0' }, { end_time: '2' }, { end_time: 'None' }]) {
      const { status, body } = await ask(path, 'PUT', { config: { ...changed.config, ...config } });
      expect([status, body.error_id]).toEqual([409, 'CLIP_FIXED']);
    }
    const same = { job_id: 'uplink', start_time: `${T0}.000`, end_time: `${T0 + 2n}.000000000` };
    expect((await ask(path, 'PUT', { config: { ...changed.config, ...same } })).body).toEqual(changed);
    expect((await ask(path)).body).toEqual(changed);
    await remove(clip.id);
  });

  it('belongs to who made it; others who may read its job see it, and the rest do not', async () => {
    const { body: clip } = await create({}, ann);
    const path = `/clips/items/${clip.id}`;
    expect((await new Clips(jobs).get(clip.id)).owner).toBe('ann');
    for (const each of [ann, bob, ADMIN]) expect((await ask<object>('/clips', 'GET', undefined, each)).body).toEqual({ items: [clip] });
    expect((await ask<object>('/clips', 'GET', undefined, eve)).body).toEqual({ items: [] });
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', { config: { description: 'x' } }],
      ['DELETE', undefined],
    ] as const) {
      expect(await ask(path, method, body, eve)).toMatchObject({ status: 404, body: { error_id: 'CLIP_NOT_FOUND' } });
      if (method !== 'GET') expect(await ask(path, method, body, bob)).toMatchObject({ status: 403, body: { error_id: 'CLIP_FORBIDDEN' } });
    }
    expect(await create({}, eve)).toMatchObject({ status: 400, body: { error_id: 'SOURCE_NOT_FOUND' } });
    expect((await ask(path, 'PUT', { config: { description: 'by ann' } }, ann)).body.config['description']).toBe('by ann');
    expect((await remove(clip.id, ADMIN)).status).toBe(204);
  });

  it.each<[string, object, string, string]>([
    ['an unknown job', { job_id: '00000000-0000-4000-8000-000000000000' }, 'SOURCE_NOT_FOUND', 'there is no job'],
    ['a job that leads elsewhere', { job_id: '../../x' }, 'SOURCE_NOT_FOUND', 'there is no job'],
    ['no job', { job_id: undefined }, 'REQUEST_INVALID', 'config.job_id is missing'],
    ['a time that is none', { start_time: 'yesterday' }, 'TIME_INVALID', 'config.start_time'],
    ['a time as a number', { start_time: 5 }, 'REQUEST_INVALID', 'config.start_time must be a string'],
    ['an end before its start', { start_time: '20', end_time: '10' }, 'TIME_INVALID', ''],
    ['an end that is yet to come', { end_time: '9999999999' }, 'TIME_INVALID', 'yet to come'],
    ['an unknown property', { shared: true }, 'REQUEST_INVALID', 'config.shared: no property'],
    ['a bad filter', { filters: { items: [{ id: 'f', type: 'BPF', value: 'udp port' }] } }, 'FILTER_INVALID', ''],
    ['another language', { filters: { items: [{ id: 'f', type: 'WIRESHARK', value: 'udp' }] } }, 'FILTER_UNSUPPORTED', 'items[0].type'],
    ['a description with a control character', { description: 'a\u0000' }, 'REQUEST_INVALID', 'control character'],
    ['a long description', { description: 'x'.repeat(1001) }, 'REQUEST_INVALID', 'more than 1000'],
  ])('with %s is refused, and nothing is left', async (_, config, id, text) => {
    const { status, body } = await create(config);
    expect([status, body]).toEqual([400, { error_id: id, error_text: expect.stringContaining(text) }]);
    expect([pins(), (await ask<object>('/clips')).body]).toEqual([[], { items: [] }]);
  });

  it('of a range without packets is refused', async () => {
    expect((await create({ start_time: '10', end_time: '20' })).body.error_id).toBe('SOURCE_EMPTY');
  });

  it.each(['nothing', 'uplink', '..', '%2e%2e%2f', '%00', '00000000-0000-4000-8000-0000000000000000'])('is not found by %s', async (id) => {
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', { config: {} }],
      ['DELETE', undefined],
    ] as const) {
      const { status, body: told } = await ask(`/clips/items/${id}`, method, body);
      expect([status, told.error_id]).toEqual([404, expect.stringMatching(/^(CLIP|ROUTE)_NOT_FOUND$/)]);
    }
  });
});
