import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_PORT, probeConfig } from '../../src/config.js';
import { startProbe } from '../../src/probe.js';
import { FakeEngine, TemporaryData, until } from '../export/fakes.js';
import { pcap, udpFrame } from './captures.js';
import { BASE, TestProbe } from './server.js';

const root = new URL('../../', import.meta.url).pathname;
const open: TestProbe[] = [];
afterEach(async () => {
  for (const probe of open.splice(0)) await probe.stop();
});

describe('a configuration', () => {
  it('has defaults, and a data folder from the environment', () => {
    const plain = { host: '127.0.0.1', port: DEFAULT_PORT, tls: null, insecureHttp: false, names: [], logLevel: 'warn' };
    expect(probeConfig({}, {})).toEqual({ dataFolder: join(root, 'data'), ...plain });
    expect(probeConfig({}, { SPILLWAY_DATA: '/srv/x' }).dataFolder).toBe('/srv/x');
    expect(probeConfig({ dataFolder: '/srv/y', names: ['A.b'], port: 0 }, { SPILLWAY_DATA: '/srv/x' })).toMatchObject({
      dataFolder: '/srv/y',
      names: ['a.b'],
      port: 0,
    });
  });

  it.each([-1, 65536, 1.5, NaN])('has no port %d', (port) => expect(() => probeConfig({ port }, {})).toThrow('port'));
});

describe('a probe', () => {
  it.each(['0.0.0.0', '::', '10.1.2.3', '192.168.0.1', 'fe80::1', '::ffff:10.0.0.1', 'example.com', '127.0.0.1.nip.example', ''])(
    'does not listen on %j, and touches nothing',
    async (host) => {
      const data = new TemporaryData();
      await expect(startProbe(probeConfig({ host, dataFolder: data.path, port: 0 }, {}))).rejects.toMatchObject({
        code: 'ADDRESS_FORBIDDEN',
        message: expect.stringContaining('loopback'),
      });
      expect(existsSync(data.path)).toBe(false);
      data.remove();
    },
  );

  it.each([
    ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['localhost', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['127.9.9.9', /^http:\/\/127\.9\.9\.9:\d+$/],
    ['::1', /^http:\/\/\[::1\]:\d+$/],
  ])('listens on %s', async (host, address) => {
    const data = new TemporaryData();
    const probe = await startProbe(probeConfig({ host, dataFolder: data.path, port: 0, logLevel: 'silent' }, {}), {
      prepare: new FakeEngine().prepare,
    });
    expect(probe.address).toMatch(address);
    expect((await fetch(`${probe.address}${BASE}/exports`)).status).toBe(200);
    await probe.close();
    data.remove();
  });

  it('says when its address is taken, and gives the data folder back', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const data = new TemporaryData();
    const config = probeConfig({ dataFolder: data.path, port, logLevel: 'silent' }, {});
    await expect(startProbe(config)).rejects.toMatchObject({ code: 'ADDRESS_UNAVAILABLE', message: expect.stringContaining(`port ${port}`) });
    other.close();
    const probe = await startProbe(config, { prepare: new FakeEngine().prepare });
    await probe.close();
    data.remove();
  });

  it('is the only one on its data folder', async () => {
    const first = await TestProbe.start(new FakeEngine().prepare);
    open.push(first);
    const config = probeConfig({ dataFolder: first.data.path, port: 0, logLevel: 'silent' }, {});
    await expect(startProbe(config)).rejects.toMatchObject({ code: 'DATA_FOLDER_LOCKED' });
  });

  it('serves its sample right away', async () => {
    const probe = await TestProbe.start();
    open.push(probe);
    const id = await probe.create({ path: 'fs/admin/sample.pcap', filters: { items: [{ id: 'a', type: 'BPF', value: 'tcp port 443' }] } });
    const { status, body } = await probe.ask(`${BASE}/packets/items/${id}`);
    expect(status).toBe(200);
    expect(body.length).toBeGreaterThan(10_000);
  });
});

/** A probe in a process of its own, from the built program. */
async function spawnProbe(data: TemporaryData): Promise<{ child: ChildProcess; address: string }> {
  const script = `
    const { startProbe } = await import(process.argv[1] + 'dist/probe.js');
    const { probeConfig } = await import(process.argv[1] + 'dist/config.js');
    const probe = await startProbe(probeConfig({ dataFolder: process.argv[2], port: 0 }, {}));
    console.log(probe.address);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, pathToFileURL(root).href, data.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, address: line.toString().trim() };
}

describe('a probe that is killed', () => {
  it('comes back with what was done, tells what was not, and leaves no unfinished file', async () => {
    const data = new TemporaryData();
    (await data.open()).close();
    const packets = Array.from({ length: 200_000 }, (_, i) => ({ ns: BigInt(i) * 1000n, bytes: udpFrame(i % 60_000, 53, 1000) }));
    writeFileSync(join(data.path, 'fs/admin/big.pcap'), pcap(packets));
    const { child, address } = await spawnProbe(data);
    const url = `${address}${BASE}/exports`;
    const create = async (config: object): Promise<string> => {
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ config }) });
      return ((await answer.json()) as { id: string }).id;
    };
    const small = await create({ path: 'fs/admin/sample.pcap', mode: 'STREAM_TO_FILE', output_filename: '/admin/small.pcap' });
    await until(async () => JSON.stringify(await (await fetch(`${url}/items/${small}`)).json()).includes('"DONE"'));
    const waiting = await create({ path: 'fs/admin/sample.pcap' });
    const big = await create({ path: 'fs/admin/big.pcap', mode: 'STREAM_TO_FILE', output_filename: '/admin/out.pcap', output_format: 'PCAPNG_NS' });
    const folder = join(data.path, 'fs/admin');
    await until(() => readdirSync(folder).some((name) => name.endsWith('.part')), 'the file to be begun');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toHaveLength(1);

    const probe = await TestProbe.start(undefined, {}, data);
    open.push(probe);
    const { items } = await probe.json<{ items: { id: string; status: { state: string; error?: { error_id: string } } }[] }>(`${BASE}/exports`);
    expect(items.map(({ id, status }) => [id, status.state, status.error?.error_id])).toEqual([
      [small, 'DONE', undefined],
      [waiting, 'ERRORS', 'INTERRUPTED'],
      [big, 'ERRORS', 'INTERRUPTED'],
    ]);
    expect(readdirSync(folder).sort()).toEqual(['big.pcap', 'sample.pcap', 'small.pcap', 'x.pcap']);
  });
});
