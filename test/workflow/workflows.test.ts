/** The two public workflows, as their clients do them, over HTTP and HTTPS, with and without users, over a running capture. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromRoot } from '../../src/root.js';
import { packetsOf } from '../api/captures.js';
import { TestProbe, basic, passwordOf } from '../api/server.js';
import { TemporaryData, until } from '../export/fakes.js';
import { run, sender } from '../capture/live.js';
import { requireOrSkip } from '../setup/require.js';
import { PublicClient, type Login } from './client.js';
import { SENT, Wire, canWire } from './wire.js';

const FRAME_BYTES = 100;
const EXPORT = 'npm.packet_export';
const FILES = 'npm.filesystem';

interface Exported {
  id: string;
  config: Record<string, unknown>;
  status: { state: string; progress: number; stats: { exported_packets: number; exported_bytes: number } };
}
interface Job {
  id: string;
  config: { name: string; enabled: boolean };
  state: { status: { state: string; packet_start_time: string } };
}

/** What public scripts do with Content-Disposition. */
const nameIn = (disposition: string): string => disposition.split('=')[1]!;
const seconds = (date: number): string => (date / 1000).toFixed(6);

/** A probe with a capture that runs, and its clients. */
class Site {
  private readonly clients: PublicClient[] = [];
  private job = '';

  private constructor(
    readonly probe: TestProbe,
    readonly wire: Wire,
    private readonly ca: Buffer | null,
  ) {}

  static async start(scheme: string): Promise<Site> {
    const data = new TemporaryData();
    const folder = join(data.path, '..');
    const pair = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    if (scheme === 'https') await run(fromRoot('bin', 'spillway'), ['tls', 'init', '-o', folder]);
    const probe = await TestProbe.start(undefined, scheme === 'https' ? { tls: pair } : {}, data);
    const site = new Site(probe, new Wire(), scheme === 'https' ? readFileSync(pair.cert) : null);
    await site.capture();
    return site;
  }

  private async capture(): Promise<void> {
    const client = await this.client('none');
    const wanted = { config: { name: 'all', enabled: true, vifgs: [this.wire.number] } };
    ({ id: this.job } = await client.json<Job>('npm.packet_capture', 'jobs', 'create', {}, wanted));
    await this.wire.send({ count: 500, size: FRAME_BYTES });
    const look = (): Promise<Job> => client.json<Job>('npm.packet_capture', 'job', 'get', { id: this.job });
    await until(async () => (await look()).state.status.packet_start_time > '1', 'the first packets');
    expect(await look()).toMatchObject({ config: { enabled: true }, state: { status: { state: 'RUNNING' } } });
  }

  async stop(): Promise<void> {
    const headers = basic('admin', passwordOf('admin'));
    await this.probe.ask(`/api/npm.packet_capture/3.0/jobs/items/${this.job}`, { method: 'DELETE', headers });
    for (const each of this.clients) each.close();
    await this.probe.stop();
  }

  private async client(login: Login): Promise<PublicClient> {
    const account = { username: 'admin', password: passwordOf('admin') };
    const client = new PublicClient({ address: this.probe.probe.address, login, account, ...(this.ca && { ca: this.ca }) });
    this.clients.push(client);
    await client.start();
    return client;
  }

  /** Create, fetch at once, delete. */
  private async download(client: PublicClient, times: { start_time: string; end_time: string }): Promise<Buffer> {
    const path = `jobs/${this.job}`;
    const filters = { items: [{ id: 'f0', type: 'BPF', value: `host ${SENT.from} and host ${SENT.to}` }] };
    const made = await client.json<Exported>(EXPORT, 'exports', 'create', {}, { config: { path, ...times, filters } });
    const { headers, body } = await client.call(EXPORT, 'export', 'packets', { id: made.id });
    expect(nameIn(headers['content-disposition']!)).toMatch(/^[A-Za-z0-9._-]+\.pcap$/);
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['content-type']).toBe('application/octet-stream');
    const { status } = await client.json<Exported>(EXPORT, 'export', 'get', { id: made.id });
    expect(status).toMatchObject({ state: 'DONE', progress: 100, stats: { exported_bytes: body.length } });
    // The whole of it, as it was read, changes nothing.
    const before = await client.json<Exported>(EXPORT, 'export', 'get', { id: made.id });
    expect(await client.json<Exported>(EXPORT, 'export', 'set', { id: made.id }, before)).toEqual(before);
    const listed = await client.json<{ items: Exported[] }>(EXPORT, 'exports', 'get', { path });
    expect(listed.items.map(({ id }) => id)).toContain(made.id);
    expect((await client.call(EXPORT, 'export', 'delete', { id: made.id })).status).toBe(204);
    return body;
  }

  /** Create with a file, ask each second until it is there, fetch the file, delete it. */
  private async toFile(client: PublicClient, name: string): Promise<Buffer> {
    const config = {
      path: `jobs/${this.job}`,
      mode: 'STREAM_TO_FILE',
      handle_timeout_msec: 3_600_000,
      connection_timeout_msec: 3_600_000,
      output_filename: `/admin/${name}`,
      start_time: seconds(Date.now() - 3_600_000),
      end_time: seconds(Date.now()),
      stop_rule: { size_limit: 10_000_000 },
      filters: { items: [{ id: 'f0', type: 'STEELFILTER', value: `ip.addr==${SENT.from} && ip.addr==${SENT.to}` }] },
    };
    const { id, ...made } = await client.json<Exported>(EXPORT, 'exports', 'create', {}, { config });
    expect(made.config).toMatchObject(config);
    for (let { status } = made; status.state !== 'DONE'; { status } = await client.json<Exported>(EXPORT, 'export', 'get', { id })) {
      if (['ERRORS', 'NODATA'].includes(status.state)) throw new Error(JSON.stringify(status));
      await sleep(1000);
    }
    const [plain, doubled] = ['', '/'].map((slash) => client.call(FILES, 'file', 'download', { id: `${slash}admin/${name}` }));
    const { headers, body } = await plain!;
    expect((await doubled!).body.equals(body)).toBe(true);
    expect(nameIn(headers['content-disposition']!)).toBe(name);
    expect((await client.call(FILES, 'file', 'delete', { id: `/admin/${name}` })).status).toBe(204);
    expect((await client.call(EXPORT, 'export', 'delete', { id })).status).toBe(204);
    return body;
  }

  /** Both workflows of one client, whose login is forgotten between them. */
  async both(login: Login): Promise<void> {
    const client = await this.client(login);
    const sent = packetsOf(await this.download(client, { start_time: 'None', end_time: 'None' }));
    expect(sent.length).toBeGreaterThanOrEqual(500);
    expect(packetsOf(await this.download(client, { start_time: '0', end_time: seconds(Date.now() + 500) })).length).toBeGreaterThanOrEqual(500);
    const { logins } = client;
    client.forgetLogin();
    const file = packetsOf(await this.toFile(client, `${login}.pcap`));
    expect(file.length).toBeGreaterThanOrEqual(500);
    expect(file[0]!.bytes.length).toBe(FRAME_BYTES);
    expect(client.logins - logins).toBe(login === 'none' ? 0 : 1);
    // The connection was kept, but for the two downloads at once.
    expect(client.connections).toBeLessThanOrEqual(2);
  }
}

describe.runIf(requireOrSkip('root and virtual interfaces', canWire()))('the public workflows', () => {
  const sites = new Map<string, Site>();
  beforeAll(async () => {
    sender();
    await Promise.all(['http', 'https'].map(async (scheme) => sites.set(scheme, await Site.start(scheme))));
  });
  afterAll(async () => {
    await Promise.all([...sites.values()].map((site) => site.stop()));
  });

  it.concurrent.each(['http', 'https'])(
    'run over %s: without users, then with a cookie, with Basic and with an access token, while frames come',
    async (scheme) => {
      const site = sites.get(scheme)!;
      await site.both('none');
      await site.probe.addUser('admin');
      const sending = site.wire.send({ count: 1500, rate: 500, size: FRAME_BYTES });
      await Promise.all((['cookie', 'basic', 'bearer'] as const).map((login) => site.both(login)));
      await sending;
    },
  );
});
