/** npm.packet_capture 3.0 where nothing is captured: shapes, reading and writing back, and what is refused. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces as systemInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Jobs } from '../../src/buffer/jobs.js';
import { CaptureSettings } from '../../src/capture/settings.js';
import { errorOf, TestProbe, type Answer } from './server.js';

const BASE = '/api/npm.packet_capture/3.0';
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const LO = Object.keys(systemInterfaces()).find((name) => name === 'lo')!;

interface Job {
  id: string;
  config: Record<string, unknown>;
  state: Record<string, Record<string, unknown>>;
}
interface Item {
  id: number;
  name: string;
  config: Record<string, unknown>;
  state: { status: string; stats: Record<string, { total: number }> };
}

let probe: TestProbe;
beforeAll(async () => {
  probe = await TestProbe.start();
});
afterAll(() => probe.stop());

const get = <T>(path: string): Promise<T> => probe.json<T>(`${BASE}${path}`);
const put = (path: string, body: object): Promise<Answer> => probe.ask(`${BASE}${path}`, { method: 'PUT', body });
const post = (path: string, body: object): Promise<Answer> => probe.ask(`${BASE}${path}`, { body });
const read = <T>({ body }: Answer): T => JSON.parse(body.toString()) as T;
const vifgOf = async (name: string): Promise<number> =>
  (await get<{ items: Item[] }>('/vifgs')).items.find(({ config }) => config['name'] === name)!.id;
/** A job that is not captured. */
const idle = async (config: object = {}): Promise<object> => ({
  config: { name: 'idle', enabled: false, vifgs: [await vifgOf(LO)], ...config },
});

it('the definition has the names and addresses that clients bind to', async () => {
  const { resources } = await get<{ resources: Record<string, { links: Record<string, { path?: string; method?: string }> }> }>('');
  const told = Object.entries(resources).map(([name, { links }]) => {
    const own = Object.entries(links).map(([link, { method = '', path }]) => `${link} ${method} ${path ?? links['self']!.path}`.trim());
    return [name, own];
  });
  const links = (self: string, ...methods: string[]): string[] => [`self  ${self}`, ...methods.map((each) => `${each} ${self}`)];
  expect(Object.fromEntries(told)).toEqual({
    jobs: links('$/jobs', 'get GET', 'create POST'),
    job: [...links('$/jobs/items/{id}', 'get GET', 'set PUT', 'delete DELETE'), 'clear_packets POST $/jobs/items/{id}/clear'],
    phys_interfaces: links('$/interfaces', 'get GET'),
    phys_interface: links('$/interfaces/items/{name}', 'get GET', 'set PUT'),
    vifgs: links('$/vifgs', 'get GET', 'create POST'),
    vifg: links('$/vifgs/items/{id}', 'get GET', 'set PUT', 'delete DELETE'),
    settings: links('$/settings', 'get GET', 'set PUT'),
    vifg_settings: links('$/vifgs/settings', 'get GET', 'set PUT'),
    vifg_global_state: links('$/vifgs/state', 'get GET'),
    job_defaults: links('$/info/job_defaults', 'get GET'),
  });
});

describe('a job', () => {
  beforeEach(async () => {
    for (const { id } of (await get<{ items: Job[] }>('/jobs')).items) await probe.ask(`${BASE}/jobs/items/${id}`, { method: 'DELETE' });
  });

  it('is made, listed, read, written back as it was read, and removed', async () => {
    const made = await post('/jobs', { ...(await idle()), id: 'mine', state: { status: { state: 'RUNNING' } } });
    expect(made.status).toBe(201);
    const job = read<Job>(made);
    expect(made.headers.location).toBe(`${BASE}/jobs/items/${job.id}`);
    const nothing = { total: 0, last_second: 0, last_minute: 0, last_hour: 0 };
    const none = '0.000000000';
    expect(job).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      config: {
        name: 'idle',
        enabled: false,
        vifgs: [await vifgOf(LO)],
        capture_from_all_vifgs: false,
        filter: { type: 'BPF', value: '' },
        snap_len: 0,
        retention_rules: { max_bytes: 0, max_age_seconds: 0 },
        indexing: { enabled: true },
      },
      state: {
        stats: { packets_written: nothing, bytes_written: nothing, packets_dropped: nothing },
        status: { state: 'STOPPED', packet_start_time: none, packet_end_time: none, capture_size: 0, capture_disk_space: 0 },
      },
    });
    expect(await get('/jobs')).toEqual({ items: [job] });
    expect(await get(`/jobs/items/${job.id}`)).toEqual(job);
    const file = join(probe.data.path, 'buffer', job.id, 'job.json');
    const before = readFileSync(file, 'utf8');
    const set = await put(`/jobs/items/${job.id}`, job);
    expect([set.status, read(set)]).toEqual([200, job]);
    expect(readFileSync(file, 'utf8')).toBe(before);
    const gone = await probe.ask(`${BASE}/jobs/items/${job.id}`, { method: 'DELETE' });
    expect([gone.status, gone.body.length, existsSync(file)]).toEqual([204, 0, false]);
    expect(await get('/jobs')).toEqual({ items: [] });
  });

  it('keeps what it is told, and what it is not told stays', async () => {
    const config = {
      name: 'a-job',
      enabled: false,
      vifgs: [await vifgOf(LO)],
      capture_from_all_vifgs: true,
      filter: { type: 'BPF', value: 'udp port 53' },
      snap_len: 128,
      retention_rules: { max_bytes: 9_007_199_254_740_991, max_age_seconds: 86_400 },
      indexing: { enabled: true },
    };
    const { id } = read<Job>(await post('/jobs', { config }));
    expect((await get<Job>(`/jobs/items/${id}`)).config).toEqual(config);
    expect(read<Job>(await put(`/jobs/items/${id}`, { config: { name: 'another' } })).config).toEqual({ ...config, name: 'another' });
    const changed = { ...config, name: 'another', filter: { type: 'BPF', value: '' }, capture_from_all_vifgs: false, snap_len: 0 };
    expect(read<Job>(await put(`/jobs/items/${id}`, { config: changed })).config).toEqual(changed);
    expect((await get<Job>(`/jobs/items/${id}`)).config).toEqual(changed);
    expect((await new Jobs(probe.data.path).get('another')).settings).toMatchObject({ interfaces: [LO], filter: null, enabled: false });
  });

  it('made by the command line is one of them, and stays what it is when it is written back', async () => {
    const jobs = new Jobs(probe.data.path);
    const settings = {
      interfaces: [LO, 'gone0'],
      filter: 'tcp',
      snapLengthBytes: 96,
      segmentBytes: 1 << 20,
      retainBytes: 5 << 20,
      retainAgeSeconds: 60,
      fsync: 'never' as const,
    };
    const { id, folder } = await jobs.put('by-hand', settings);
    const job = await get<Job>(`/jobs/items/${id}`);
    expect(job.config).toMatchObject({ name: 'by-hand', enabled: false, vifgs: [await vifgOf(LO)], snap_len: 96 });
    expect(job.state).toMatchObject({ status: { state: 'STOPPED' } });
    expect(read(await put(`/jobs/items/${id}`, job))).toEqual(job);
    expect(JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'))).toEqual({ version: 1, name: 'by-hand', ...settings });
    await put(`/jobs/items/${id}`, { config: { ...job.config, snap_len: 64 } });
    expect((await jobs.get('by-hand')).settings).toEqual({ ...settings, snapLengthBytes: 64, enabled: false });
  });

  it.each<[string, object, number, string, string]>([
    ['no body', {}, 400, 'REQUEST_INVALID', 'config is missing'],
    ['no name', { config: {} }, 400, 'REQUEST_INVALID', 'config.name is missing'],
    ['an unknown property', { config: { name: 'x', mifg_id: 1 } }, 400, 'REQUEST_INVALID', 'config.mifg_id: no property'],
    ['an unknown property inside', { config: { name: 'x', filter: { string: '' } } }, 400, 'REQUEST_INVALID', 'config.filter.string: no property'],
    ['an unknown property of all', { config: { name: 'x' }, label: '' }, 400, 'REQUEST_INVALID', 'label: no property'],
    ['a name that leads elsewhere', { config: { name: '../x' } }, 400, 'REQUEST_INVALID', 'is no name of a job'],
    ['a name with an end', { config: { name: 'a\u0000b' } }, 400, 'REQUEST_INVALID', 'is no name of a job'],
    ['a name like an id', { config: { name: UNKNOWN_ID } }, 400, 'REQUEST_INVALID', 'form of an id'],
    ['a name that is none', { config: { name: 7 } }, 400, 'REQUEST_INVALID', 'config.name must be a string'],
    ['no interface', { config: { name: 'x', vifgs: [] } }, 400, 'REQUEST_INVALID', 'config names no interface'],
    ['everything else, which is nothing', { config: { name: 'x', vifgs: [1000] } }, 400, 'REQUEST_INVALID', 'config names no interface'],
    ['a group that is not there', { config: { name: 'x', vifgs: [999_999] } }, 400, 'SOURCE_NOT_FOUND', 'config.vifgs[0]'],
    ['a group by name', { config: { name: 'x', vifgs: ['lo'] } }, 400, 'REQUEST_INVALID', 'config.vifgs[0]'],
    ['a bad filter', { config: { name: 'x', vifgs: [1], filter: { type: 'BPF', value: 'tcp port' } } }, 400, 'FILTER_INVALID', ''],
    ['another language', { config: { name: 'x', vifgs: [1], filter: { type: 'WIRESHARK', value: 'tcp' } } }, 400, 'FILTER_UNSUPPORTED', 'WIRESHARK'],
    ['a long snap length', { config: { name: 'x', vifgs: [1], snap_len: 262_145 } }, 400, 'REQUEST_INVALID', 'config.snap_len'],
    ['no index', { config: { name: 'x', vifgs: [1], indexing: { enabled: false } } }, 400, 'REQUEST_INVALID', 'config.indexing.enabled'],
    ['a negative size', { config: { name: 'x', vifgs: [1], retention_rules: { max_bytes: -1 } } }, 400, 'REQUEST_INVALID', 'max_bytes'],
    ['a long age', { config: { name: 'x', vifgs: [1], retention_rules: { max_age_seconds: 2 ** 40 } } }, 400, 'REQUEST_INVALID', 'max_age'],
  ])('with %s is refused, and nothing is left', async (_, body, status, id, text) => {
    const answer = await post('/jobs', body);
    expect([answer.status, errorOf(answer)]).toEqual([status, { error_id: id, error_text: expect.stringContaining(text) }]);
    expect(await get('/jobs')).toEqual({ items: [] });
  });

  it('with a size beyond what is exact is refused by name', async () => {
    const body = '{"config":{"name":"x","vifgs":[1],"retention_rules":{"max_bytes":9007199254740993}}}';
    const answer = await probe.ask(`${BASE}/jobs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(errorOf(answer)).toMatchObject({ error_id: 'REQUEST_INVALID', error_text: expect.stringContaining('config.retention_rules.max_bytes') });
  });

  it('has a name of its own', async () => {
    await post('/jobs', await idle());
    const again = await post('/jobs', await idle());
    expect([again.status, errorOf(again).error_id]).toEqual([409, 'JOB_EXISTS']);
    const { id } = read<Job>(await post('/jobs', await idle({ name: 'other' })));
    const renamed = await put(`/jobs/items/${id}`, await idle());
    expect([renamed.status, errorOf(renamed).error_id]).toEqual([409, 'JOB_EXISTS']);
  });

  it('is changed wholly or not at all', async () => {
    const made = read<Job>(await post('/jobs', await idle()));
    const refused = [
      { name: 'new', filter: { type: 'BPF', value: 'no such thing' } },
      { name: 'new', vifgs: [999_999] },
      { name: 'new', snap_len: 1, retention_rules: { max_bytes: '1' } },
    ];
    for (const config of refused) expect((await put(`/jobs/items/${made.id}`, { config })).status).toBe(400);
    expect(await get(`/jobs/items/${made.id}`)).toEqual(made);
  });

  it.each(['nothing', UNKNOWN_ID, '..', '%2e%2e', '..%2f..', '%00', 'idle', `${UNKNOWN_ID}%2fclear`])('is not found by %s', async (id) => {
    await post('/jobs', await idle());
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', ''],
      ['DELETE', ''],
      ['POST', '/clear'],
    ] as const) {
      const body = method === 'PUT' ? await idle() : undefined;
      const answer = await probe.ask(`${BASE}/jobs/items/${id}${path}`, { method, ...(body && { body }) });
      expect([404, id === '..' ? 405 : 404]).toContain(answer.status);
      expect(['JOB_NOT_FOUND', 'ROUTE_NOT_FOUND', 'METHOD_NOT_ALLOWED']).toContain(errorOf(answer).error_id);
    }
    expect((await get<{ items: Job[] }>('/jobs')).items).toHaveLength(1);
  });

  it('needs JSON', async () => {
    const answer = await probe.ask(`${BASE}/jobs`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' });
    expect([answer.status, errorOf(answer).error_id]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
  });
});

/** What a job on all interfaces would capture; other tests may add and remove some at any time. */
async function captured(): Promise<string[]> {
  const answer = await post('/jobs', { config: { name: 'all', enabled: false, capture_from_all_vifgs: true } });
  if (answer.status !== 201) expect(errorOf(answer).error_text).toContain('names no interface');
  const { interfaces = [] } = (await new Jobs(probe.data.path).find('all'))?.settings ?? {};
  if (answer.status === 201) await probe.ask(`${BASE}/jobs/items/${read<Job>(answer).id}`, { method: 'DELETE' });
  return interfaces;
}

describe('interfaces', () => {
  it('are those of the system, with what users say of them', async () => {
    const { items } = await get<{ items: Item[] }>('/interfaces');
    const lo = items.find(({ name }) => name === LO)!;
    expect(lo).toMatchObject({ config: { description: '', enabled: true }, state: { status: 'UP' } });
    expect(Object.keys(lo.state.stats)).toEqual(['bytes_total', 'packets_dropped', 'packets_total']);
    expect(lo.state.stats['packets_total']!.total).toBeGreaterThan(0);
    const set = await put(`/interfaces/items/${LO}`, { ...lo, config: { description: 'myself', enabled: false } });
    expect(read(set)).toMatchObject({ name: LO, config: { description: 'myself', enabled: false }, state: { status: 'DISABLED' } });
    expect(await get(`/interfaces/items/${LO}`)).toMatchObject({ config: { description: 'myself' }, state: { status: 'DISABLED' } });
    expect(await captured()).not.toContain(LO);
    const enabled = await put(`/interfaces/items/${LO}`, { config: { description: '', enabled: true } });
    expect(read<Item>(enabled).state.status).toBe('UP');
    expect(await captured()).toContain(LO);
    expect(JSON.parse(readFileSync(join(probe.data.path, 'settings.json'), 'utf8'))).toMatchObject({ interfaces: {} });
  });

  it('that are gone are missing, as long as something is said of them', async () => {
    const settings = new CaptureSettings(probe.data.path);
    await settings.change((stored) => void (stored.interfaces['gone0'] = { description: 'was here', enabled: true }));
    const gone = await get<Item>('/interfaces/items/gone0');
    expect(gone).toMatchObject({ name: 'gone0', config: { description: 'was here' }, state: { status: 'MISSING' } });
    expect(read(await put('/interfaces/items/gone0', gone))).toEqual(gone);
    await put('/interfaces/items/gone0', { config: { description: '' } });
    expect((await probe.ask(`${BASE}/interfaces/items/gone0`)).status).toBe(404);
  });

  it.each(['nothing', '..', '%2e%2e%2fnet', 'lo%2f..', '%00', 'x'.repeat(90)])('are not found by %s', async (name) => {
    for (const ask of [{}, { method: 'PUT', body: { config: {} } }]) {
      const answer = await probe.ask(`${BASE}/interfaces/items/${name}`, ask);
      expect(answer.status).toBe(404);
      expect(['INTERFACE_NOT_FOUND', 'ROUTE_NOT_FOUND']).toContain(errorOf(answer).error_id);
    }
  });

  it('take no property that is not known', async () => {
    const answer = await put(`/interfaces/items/${LO}`, { config: { mtu: 9000 } });
    expect(errorOf(answer)).toMatchObject({ error_id: 'REQUEST_INVALID', error_text: expect.stringContaining('config.mtu') });
  });
});

describe('groups', () => {
  it('are one for each interface, and one for everything else', async () => {
    const { items } = await get<{ items: Item[] }>('/vifgs');
    const index = Number(readFileSync(`/sys/class/net/${LO}/ifindex`, 'latin1'));
    expect(items.find(({ id }) => id === index)).toEqual({
      id: index,
      config: { name: LO, description: '', enabled: true, members: [LO], filter: {}, is_other_vifg: false },
      state: {
        stats: { bytes_received: { total: expect.any(Number) }, packets_duped: { total: 0 }, packets_received: { total: expect.any(Number) } },
      },
    });
    expect(items.at(-1)).toMatchObject({ id: 1000, config: { members: [], is_other_vifg: true } });
    expect(await get('/vifgs/items/1000')).toEqual(items.at(-1));
    expect(await get('/vifgs/state')).toMatchObject({ stats: { packets_duped: { total: 0 } } });
  });

  it('of users take their members out of their own, and give them back', async () => {
    const own = await vifgOf(LO);
    const made = await post('/vifgs', { id: 3, config: { name: 'mine', members: [LO], filter: {} } });
    expect(made.status).toBe(201);
    const group = read<Item>(made);
    expect(made.headers.location).toBe(`${BASE}/vifgs/items/${group.id}`);
    expect(group).toMatchObject({ id: 1_000_001, config: { name: 'mine', description: '', enabled: true, members: [LO], is_other_vifg: false } });
    expect((await get<Item>(`/vifgs/items/${own}`)).config['members']).toEqual([]);
    expect(read<Item>(await put(`/vifgs/items/${group.id}`, group)).config).toEqual(group.config);
    const taken = await post('/vifgs', { config: { members: [LO] } });
    expect([taken.status, errorOf(taken).error_id]).toEqual([409, 'INTERFACE_TAKEN']);
    const { id } = read<Job>(await post('/jobs', { config: { name: 'grouped', enabled: false, vifgs: [group.id] } }));
    expect((await get<Job>(`/jobs/items/${id}`)).config['vifgs']).toEqual([group.id]);
    expect((await new Jobs(probe.data.path).get(id)).settings.interfaces).toEqual([LO]);
    const emptied = await probe.ask('/api/npm.packet_export/1.3/exports', { body: { config: { path: `vifgs/${own}`, mode: 'LIVE_STREAM' } } });
    expect(errorOf(emptied)).toMatchObject({ error_id: 'SOURCE_EMPTY', error_text: expect.stringContaining('belongs to another group') });
    expect((await probe.ask(`${BASE}/vifgs/items/${group.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await get<Item>(`/vifgs/items/${own}`)).config['members']).toEqual([LO]);
    expect((await get<Job>(`/jobs/items/${id}`)).config['vifgs']).toEqual([]);
    await probe.ask(`${BASE}/jobs/items/${id}`, { method: 'DELETE' });
  });

  it('of interfaces can be described, and are otherwise what they are', async () => {
    const id = await vifgOf(LO);
    const group = await get<Item>(`/vifgs/items/${id}`);
    expect(read<Item>(await put(`/vifgs/items/${id}`, group)).config).toEqual(group.config);
    const said = { ...group.config, name: 'loop', description: 'myself' };
    expect(read<Item>(await put(`/vifgs/items/${id}`, { config: said })).config).toEqual(said);
    expect(read<Item>(await put(`/vifgs/items/${id}`, group)).config).toEqual(group.config);
    for (const answer of [
      await put(`/vifgs/items/${id}`, { config: { members: [] } }),
      await put(`/vifgs/items/${id}`, { config: { is_other_vifg: true } }),
      await probe.ask(`${BASE}/vifgs/items/${id}`, { method: 'DELETE' }),
      await probe.ask(`${BASE}/vifgs/items/1000`, { method: 'DELETE' }),
      await post('/vifgs', { config: { is_other_vifg: true } }),
    ])
      expect([answer.status, errorOf(answer).error_id]).toEqual([409, 'VIFG_FIXED']);
  });

  it.each<[object, string, string]>([
    [{ members: ['none0'] }, 'REQUEST_INVALID', 'config.members "none0"'],
    [{ members: [LO, LO] }, 'REQUEST_INVALID', 'twice'],
    [{ members: 'lo' }, 'REQUEST_INVALID', 'config.members must be an array'],
    [{ filter: { type: 'BPF', value: 'tcp' } }, 'FILTER_UNSUPPORTED', 'config.filter'],
    [{ vlan: 1 }, 'REQUEST_INVALID', 'config.vlan: no property'],
  ])('like %j are refused', async (config, id, text) => {
    const answer = await post('/vifgs', { config });
    expect([answer.status, errorOf(answer)]).toEqual([400, { error_id: id, error_text: expect.stringContaining(text) }]);
  });

  it.each(['999999', 'lo', '1e3', '-1', '..', '%00', '99999999999999999999'])('are not found by %s', async (id) => {
    const answer = await probe.ask(`${BASE}/vifgs/items/${id}`);
    expect([404, 405]).toContain(answer.status);
    expect(['VIFG_NOT_FOUND', 'ROUTE_NOT_FOUND']).toContain(errorOf(answer).error_id);
  });

  it('have settings that tell what is, and take nothing else', async () => {
    const settings = await get<object>('/vifgs/settings');
    expect(read(await put('/vifgs/settings', settings))).toEqual(settings);
    for (const body of [{ deduplication: true }, { grouping: 'VLAN' }, { other: 1 }])
      expect(errorOf(await put('/vifgs/settings', body)).error_id).toBe('REQUEST_INVALID');
  });
});

describe('settings', () => {
  it('are what new jobs begin with', async () => {
    const before = await get<object>('/settings');
    expect(read(await put('/settings', before))).toEqual(before);
    const rules = { max_bytes: 1 << 30, max_age_seconds: 60 };
    const wanted = { snap_len: 256, retention_rules: rules, segment_bytes: 1 << 20, fsync: 'commit' };
    expect(read(await put('/settings', wanted))).toEqual(wanted);
    expect(await get('/info/job_defaults')).toMatchObject({ config: { enabled: true, snap_len: 256, retention_rules: rules } });
    const { id, config } = read<Job>(await post('/jobs', await idle({ name: 'new' })));
    expect(config).toMatchObject({ snap_len: 256, retention_rules: rules });
    expect((await new Jobs(probe.data.path).get(id)).settings).toMatchObject({ segmentBytes: 1 << 20, fsync: 'commit' });
    await put('/settings', before);
    for (const body of [{ segment_bytes: 1 }, { fsync: 'now' }, { snap_len: -1 }, { colour: 'red' }])
      expect(errorOf(await put('/settings', body)).error_id).toBe('REQUEST_INVALID');
    expect(await get('/settings')).toEqual(before);
  });

  it('that can not be read are not taken for none', async () => {
    const path = join(probe.data.path, 'settings.json');
    const good = readFileSync(path);
    for (const text of ['{', '{"version":2}']) {
      writeFileSync(path, text);
      expect(errorOf(await probe.ask(`${BASE}/settings`)).error_id).toBe('DATA_FOLDER_UNUSABLE');
      expect(errorOf(await put('/settings', { snap_len: 1 })).error_id).toBe('DATA_FOLDER_UNUSABLE');
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
    writeFileSync(path, good);
  });
});
