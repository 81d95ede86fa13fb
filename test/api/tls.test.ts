/** HTTPS, and listening beyond loopback. */
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { probeConfig, type ProbeConfig } from '../../src/config.js';
import { startProbe } from '../../src/probe.js';
import { FakeEngine, Gate, TemporaryData } from '../export/fakes.js';
import { makePair } from '../support/pair.js';
import { temporaryFolder } from '../support/temporary.js';
import { BASE, basic, errorOf, passwordOf, TestProbe } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const folder = temporaryFolder();
let pair: { cert: string; key: string };
let other: { cert: string; key: string };
beforeAll(async () => {
  pair = await makePair(join(folder.path, 'one'));
  other = await makePair(join(folder.path, 'two'));
});
const open: TestProbe[] = [];
afterEach(async () => {
  for (const probe of open.splice(0)) await probe.stop();
});

async function start(given: Partial<ProbeConfig>, engine = new FakeEngine(), data?: TemporaryData): Promise<TestProbe> {
  const probe = await TestProbe.start(engine.prepare, given, data);
  open.push(probe);
  return probe;
}

/** With a user, so that it may listen everywhere. */
async function withUser(): Promise<TemporaryData> {
  const data = new TemporaryData();
  const probe = await TestProbe.start(new FakeEngine().prepare, {}, data);
  await probe.addUser('ann', 'admin');
  await probe.probe.close();
  return data;
}

describe('over HTTPS', () => {
  it('everything is as it is over HTTP, and the cookie is for HTTPS alone', async () => {
    const probe = await start({ tls: pair });
    expect(probe.probe.address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    await probe.addUser('ann');
    const login = await probe.ask('/api/common/1.0/login', { body: { username: 'ann', password: passwordOf('ann') } });
    expect(login.headers['set-cookie']![0]).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
    const headers = { cookie: login.headers['set-cookie']![0]!.split(';')[0]! };
    const made = await probe.ask(`${BASE}/exports`, { body: { config: { path: 'fs/admin/sample.pcap' } }, headers });
    const id = (JSON.parse(made.body.toString()) as { id: string }).id;
    const packets = await probe.ask(`${BASE}/packets/items/${id}`, { headers });
    expect([packets.status, packets.complete, packets.body.toString()]).toEqual([200, true, 'headtail']);
    const own = { ...headers, origin: probe.probe.address, 'sec-fetch-site': 'same-origin' };
    expect((await probe.ask(made.headers.location!, { headers: own, method: 'DELETE' })).status).toBe(204);
    expect(errorOf(await probe.ask(`${BASE}/exports`, { headers: { host: 'evil.example' } })).error_id).toBe('HOST_FORBIDDEN');
  });

  it.each(['HTTP/1.1', 'HTTP/1.0'])('a stream that fails is seen to be broken by a client of %s', async (version) => {
    const engine = new FakeEngine();
    const gate = new Gate();
    engine.runGate = gate.passed;
    engine.runError = new Error('the disk died');
    const probe = await start({ tls: pair }, engine);
    const id = await probe.create({ path: 'fs/admin/sample.pcap' });
    const socket = connect({ port: probe.port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.write(`GET ${BASE}/packets/items/${id} ${version}\r\nHost: localhost\r\n\r\n`);
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      // Everything has arrived by then: only what is unread could hide how the connection ends.
      if (text.includes('head')) gate.open();
    });
    await expect(once(socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(text).toContain('head');
    expect(text).not.toContain('\r\n0\r\n\r\n');
  });

  it('a client that speaks plain HTTP gets nothing, and hurts nobody', async () => {
    const probe = await start({ tls: pair });
    const socket = connectPlain(probe.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await probe.ask('/api/common/1.0/ping')).status).toBe(200);
  });
});

describe('certificate and key', () => {
  const refused = async (tls: { cert: string; key: string }): Promise<{ code: string; message: string; made: boolean }> => {
    const data = new TemporaryData();
    const error = await startProbe(probeConfig({ tls, dataFolder: data.path, port: 0 }, {})).then(
      () => ({ code: '', message: '' }),
      (thrown: unknown) => thrown as { code: string; message: string },
    );
    const made = existsSync(data.path);
    data.remove();
    return { code: error.code, message: error.message, made };
  };
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder.path, name), text);
    return join(folder.path, name);
  };

  it.each([
    ['that are missing', () => ({ ...pair, cert: '/none/cert.pem' }), /cert\.pem can not be used: there is no such file/],
    ['that are no files', () => ({ ...pair, key: folder.path }), /can not be used: EISDIR/],
    ['of two pairs', () => ({ cert: pair.cert, key: other.key }), /do not belong together/],
    ['the other way round', () => ({ cert: pair.key, key: pair.cert }), /holds no CERTIFICATE in PEM/],
    ['that are empty', () => ({ ...pair, key: file('empty.pem', '') }), /holds no PRIVATE KEY in PEM/],
    [
      'that are torn',
      () => ({ ...pair, cert: file('torn.pem', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n') }),
      /can not be used: /,
    ],
  ])('%s are refused in one sentence, and nothing is touched', async (_what, tls, words) => {
    const { code, message, made } = await refused(tls());
    expect([code, made]).toEqual(['TLS_UNUSABLE', false]);
    expect(message).toMatch(words);
    expect(message).not.toContain('\n');
  });
});

describe('beyond loopback', () => {
  it.each(['0.0.0.0', '::'])('it listens on %s with TLS and a user', async (host) => {
    const probe = await start({ host, tls: pair }, new FakeEngine(), await withUser());
    expect(probe.probe.address).toMatch(/^https:\/\/(127\.0\.0\.1|\[::1\]):\d+$/);
    expect(errorOf(await probe.ask(`${BASE}/exports`)).error_id).toBe('AUTH_REQUIRED');
    const headers = basic('ann', passwordOf('ann'));
    expect((await probe.ask(`${BASE}/exports`, { headers })).status).toBe(200);
    const own = Object.values(networkInterfaces()).flatMap((each) =>
      each!.map(({ address, family }) => (family === 'IPv6' ? `[${address}]:99` : `${address}:99`)),
    );
    for (const address of own.filter((each) => !each.includes('fe80'))) {
      expect([address, (await probe.ask(`${BASE}/exports`, { headers: { ...headers, host: address } })).status]).toEqual([address, 200]);
    }
    for (const address of ['203.0.113.77', '[2001:db8::77]', '0.0.0.0', 'evil.example']) {
      expect([address, (await probe.ask(`${BASE}/exports`, { headers: { ...headers, host: address } })).status]).toEqual([address, 403]);
    }
  });

  it('it says at which addresses', async () => {
    const probe = await start({ host: '0.0.0.0', insecureHttp: true }, new FakeEngine(), await withUser());
    const { mgmt_addresses: addresses } = await probe.json<{ mgmt_addresses: string[] }>('/api/common/1.0/info');
    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses).not.toContain('0.0.0.0');
  });

  it('it needs TLS, or to be told that none is wanted, and a user in both cases', async () => {
    const data = await withUser();
    const config = (given: Partial<ProbeConfig>): ProbeConfig =>
      probeConfig({ host: '0.0.0.0', dataFolder: data.path, port: 0, logLevel: 'silent', ...given }, {});
    await expect(startProbe(config({}))).rejects.toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
      message: expect.stringMatching(/--tls-cert.*tls init.*--insecure-http/) as string,
    });
    await (await startProbe(config({ insecureHttp: true }))).close();
    data.remove();
    const empty = new TemporaryData();
    for (const given of [{ tls: pair }, { insecureHttp: true }]) {
      await expect(startProbe(config({ ...given, dataFolder: empty.path }))).rejects.toMatchObject({
        code: 'ADDRESS_FORBIDDEN',
        message: expect.stringContaining('spillway users add') as string,
      });
    }
    // The data folder was given back.
    await (await startProbe(config({ host: '127.0.0.1', dataFolder: empty.path }))).close();
    empty.remove();
  });

  it.each(['example.com', '', '0', '0.0.0.0.0', 'localhost.example'])('it does not listen on %j', async (host) => {
    const data = new TemporaryData();
    await expect(startProbe(probeConfig({ host, tls: pair, dataFolder: data.path, port: 0 }, {}))).rejects.toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
    });
    expect(existsSync(data.path)).toBe(false);
    data.remove();
  });
});
