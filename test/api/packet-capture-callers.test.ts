/** Capture jobs and who asks for them, without captures: those that are refused, those that are taken up again, those that some do not see. */
import { afterAll, describe, expect, it } from 'vitest';
import { ADMIN, type Caller } from '../../src/access/caller.js';
import { packetCapture } from '../../src/api/packet-capture/service.js';
import { Clips } from '../../src/buffer/clips.js';
import { Jobs } from '../../src/buffer/jobs.js';
import { JobControl } from '../../src/capture/job-control.js';
import { JobStates } from '../../src/capture/job-state.js';
import { CaptureSettings } from '../../src/capture/settings.js';
import { Vifgs } from '../../src/capture/vifgs.js';
import { SpillwayError } from '../../src/errors.js';
import { TemporaryData } from '../export/fakes.js';
import { serveAs } from './serve.js';

const BASE = '/api/npm.packet_capture/3.0';

describe('callers and captures that are refused', () => {
  const data = new TemporaryData();
  afterAll(() => data.remove());
  const jobs = new Jobs(data.path);
  const settings = new CaptureSettings(data.path);
  const vifgs = new Vifgs(settings);
  let refusal: SpillwayError | null = null;
  const started: string[] = [];
  const startCapture = async ({ name }: { name: string }): Promise<void> => {
    if (refusal) throw refusal;
    started.push(name);
  };
  const control = new JobControl({ jobs, clips: new Clips(jobs), vifgs, startCapture, report: () => undefined });
  const service = packetCapture({ jobs, control, states: new JobStates(new Clips(jobs).catalogs), settings, vifgs });
  const asked = async (caller: Caller, path: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE' = 'GET', body?: object) => {
    const app = await serveAs(() => caller, [service]);
    const answer = await app.inject({ method, url: `${BASE}${path}`, headers: { host: 'localhost' }, ...(body && { payload: body }) });
    await app.close();
    return { status: answer.statusCode, body: answer.body === '' ? null : (JSON.parse(answer.body) as Record<string, unknown>) };
  };

  it('a job that can not be captured is not made', async () => {
    refusal = new SpillwayError('CAPTURE_NOT_PERMITTED', 'no');
    const config = { name: 'a', vifgs: [(await vifgs.list())[0]!.id] };
    expect(await asked(ADMIN, '/jobs', 'POST', { config })).toMatchObject({ status: 403, body: { error_id: 'CAPTURE_NOT_PERMITTED' } });
    expect(await jobs.list()).toEqual([]);
    const made = await asked(ADMIN, '/jobs', 'POST', { config: { ...config, enabled: false } });
    const { id } = made.body as { id: string };
    const before = await jobs.get(id);
    const changed = { config: { name: 'b', enabled: true, snap_len: 77 } };
    expect((await asked(ADMIN, `/jobs/items/${id}`, 'PUT', changed)).status).toBe(403);
    expect(await jobs.get(id)).toEqual(before);
    refusal = null;
    expect((await asked(ADMIN, `/jobs/items/${id}`, 'PUT', changed)).body).toMatchObject({ config: changed.config });
    expect(started).toEqual(['b']);
  });

  it('what is to be captured is started when the probe starts, and what can not be is told of', async () => {
    started.length = 0;
    await jobs.put('by-hand', (await jobs.get('b')).settings);
    const { enabled: _, ...settings } = (await jobs.get('b')).settings;
    await jobs.put('by-hand', settings);
    await control.resume();
    expect(started).toEqual(['b']);
    refusal = new SpillwayError('CAPTURE_FAILED', 'no');
    await control.resume();
    expect((await jobs.get('b')).settings.enabled).toBe(true);
    refusal = null;
  });

  it('who may not read a job does not see it', async () => {
    const { id } = await jobs.get('b');
    const byName: Caller = { name: 'ann', role: 'operator', sources: ['jobs/b'] };
    const byId: Caller = { name: 'ann', role: 'operator', sources: [`jobs/${id}`] };
    const blind: Caller = { name: 'ann', role: 'operator', sources: ['fs/*'] };
    for (const caller of [byName, byId]) {
      expect((await asked(caller, '/jobs')).body).toMatchObject({ items: [{ id }] });
      expect((await asked(caller, `/jobs/items/${id}`)).status).toBe(200);
    }
    expect((await asked(blind, '/jobs')).body).toEqual({ items: [] });
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const body = method === 'PUT' ? { config: { name: 'c' } } : undefined;
      expect(await asked(blind, `/jobs/items/${id}`, method, body)).toMatchObject({ status: 404, body: { error_id: 'JOB_NOT_FOUND' } });
    }
    expect((await asked(blind, `/jobs/items/${id}/clear`, 'POST')).status).toBe(404);
    expect((await jobs.get('b')).id).toBe(id);
  });
});
