/** The two public workflows, as their clients do them, over HTTP and HTTPS, with and without users, over a running capture. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromRoot } from '../../src/root.js';
import { packetsOf } from '../api/captures.js';
import { TestProbe, basic, passwordOf } from '../api/server.js';
import { TemporaryData, until } from '../export/fakes.js';
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

describe.runIf(requireOrSkip('root and virtual interfaces', canWire()))('the public workflows', () => {
  describe.each(['http', 'https'])('over %s', (scheme) => {
    let probe: TestProbe;
    let wire: Wire;
    let job: Job;
    let ca: Buffer | undefined;
    const clients: PublicClient[] = [];

    const clientWith = async (login: Login): Promise<PublicClient> => {
      const account = { username: 'admin', password: passwordOf('admin') };
      const client = new PublicClient({ address: probe.probe.address, login, account, ...(ca && { ca }) });
      clients.push(client);
      await client.start();
      return client;
    };

    beforeAll(async () => {
      const data = new TemporaryData();
      if (scheme === 'https') execFileSync(fromRoot('bin', 'spillway'), ['tls', 'init', '-o', join(data.path, '..')]);
      const pair = { cert: join(data.path, '..', 'cert.pem'), key: join(data.path, '..', 'key.pem') };
      if (scheme === 'https') ca = readFileSync(pair.cert);
      probe = await TestProbe.start(undefined, scheme === 'https' ? { tls: pair } : {}, data);
      wire = new Wire();
      const client = await clientWith('none');
      const wanted = { config: { name: 'all', enabled: true, vifgs: [wire.number] } };
      job = await client.json<Job>('npm.packet_capture', 'jobs', 'create', {}, wanted);
      await wire.send({ count: 500, size: FRAME_BYTES });
      await until(async () => {
        job = await client.json<Job>('npm.packet_capture', 'job', 'get', { id: job.id });
        return job.state.status.packet_start_time > '1';
      }, 'the first packets');
    });
    afterAll(async () => {
      const client = clients[0]!;
      if (probe.probe.access.isOpen) await client.call('npm.packet_capture', 'job', 'delete', { id: job.id });
      else await probe.ask(`/api/npm.packet_capture/3.0/jobs/items/${job.id}`, { method: 'DELETE', headers: basic('admin', passwordOf('admin')) });
      for (const each of clients) each.close();
      await probe.stop();
    });

    /** Create, fetch at once, delete. */
    async function download(client: PublicClient, times: { start_time: string; end_time: string }): Promise<Buffer> {
      const path = `jobs/${job.id}`;
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
    async function toFile(client: PublicClient, name: string): Promise<Buffer> {
      const config = {
        path: `jobs/${job.id}`,
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

    async function both(login: Login): Promise<void> {
      const client = await clientWith(login);
      const sent = packetsOf(await download(client, { start_time: 'None', end_time: 'None' }));
      expect(sent.length).toBeGreaterThanOrEqual(500);
      expect(packetsOf(await download(client, { start_time: '0', end_time: seconds(Date.now() + 500) })).length).toBeGreaterThanOrEqual(500);
      const { logins } = client;
      client.forgetLogin();
      const file = packetsOf(await toFile(client, `${login}.pcap`));
      expect(file.length).toBeGreaterThanOrEqual(500);
      expect(file[0]!.bytes.length).toBe(FRAME_BYTES);
      expect(client.logins - logins).toBe(login === 'none' ? 0 : 1);
      // The connection was kept, but for the two downloads at once.
      expect(client.connections).toBeLessThanOrEqual(2);
    }

    it('run while nobody has to log in', () => both('none'));

    it('run with a cookie, with Basic and with an access token, while frames come', async () => {
      await probe.addUser('admin');
      const sending = wire.send({ count: 1500, rate: 500, size: FRAME_BYTES });
      await Promise.all((['cookie', 'basic', 'bearer'] as const).map(both));
      await sending;
    });
  });
});
