/** Two probes on loopback, over HTTPS, that collect packages from each other; and what is never asked. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FakeEngine } from '../export/fakes.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { makePair } from '../support/pair.js';
import { temporaryFolder } from '../support/temporary.js';
import { ALL, RpcClient } from './rpc-client.js';
import { basic, passwordOf, TestProbe } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const folder = temporaryFolder();
const headers = basic('admin', passwordOf('admin'));
const probes: TestProbe[] = [];
/** Listens where nobody is to connect. */
let trap: Server;
let trapped = 0;

const addressOf = (probe: TestProbe): string => `127.0.0.1:${probe.port}`;
const rpcOf = async (probe: TestProbe): Promise<RpcClient> => {
  const client = new RpcClient(probe);
  expect((await client.login('admin')).status).toBe(200);
  return client;
};

async function begin(name: string): Promise<TestProbe> {
  const tls = await makePair(join(folder.path, name));
  const probe = await TestProbe.start(new FakeEngine().prepare, { tls });
  await probe.addUser('admin');
  probes.push(probe);
  return probe;
}

/** Makes `other` a peer of `probe`, pinned by its certificate. */
async function introduce(probe: TestProbe, other: TestProbe, name: string, password = passwordOf('admin')): Promise<void> {
  const profile = await probe.ask('/api/spillway.admin/1.0/profiles', { headers, body: { name, username: 'admin', password } });
  expect(profile.status).toBe(201);
  const pin = new X509Certificate(readFileSync(join(folder.path, name, 'cert.pem'))).fingerprint256;
  const body = { address: addressOf(other), pin, profile: (JSON.parse(profile.body.toString()) as { id: string }).id };
  const made = await probe.ask('/api/spillway.admin/1.0/peers', { headers, body });
  expect([made.status, made.body.toString()]).toEqual([201, expect.not.stringContaining(password)]);
}

let [east, west]: TestProbe[] = [];
beforeAll(async () => {
  east = await begin('east');
  west = await begin('west');
  await introduce(east, west, 'west');
  await introduce(west, east, 'east');
  trap = createServer((socket) => {
    trapped++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(0, '::', resolve));
});
afterAll(async () => {
  trap.close();
  for (const probe of probes) await probe.stop();
});

interface Manifest {
  about: { serial: string };
  entries: { section: string | null; file: string; note?: string }[];
}

async function serialOf(probe: TestProbe): Promise<string> {
  return (await probe.json<{ serial: string }>('/api/common/1.0/info')).serial;
}

describe('a probe', () => {
  it.runIf(requireOrSkip('7z (p7zip-full)', hasProgram('7z'))).each([
    ['east', () => [east!, west!] as const],
    ['west', () => [west!, east!] as const],
  ])('gives a diagnostic package of its peer (%s)', async (_, both) => {
    const [probe, other] = both();
    const client = await rpcOf(probe);
    const process_id = await client.start({ ...ALL, target: addressOf(other), encryption_passphrase: 'between probes' });
    const { result, error } = await client.ended(process_id);
    expect([error, result!['return_code']]).toEqual([undefined, 'success']);
    const path = folder.write('peer.zip', await client.file(process_id));
    const manifest = JSON.parse(execFileSync('7z', ['x', '-so', '-pbetween probes', path, 'manifest.json'], { encoding: 'utf8' })) as Manifest;
    expect(manifest.about.serial).toBe(await serialOf(other));
    // Nothing is left with the peer.
    expect((await (await rpcOf(other)).call('diagnostic_package_status_get')).result).toEqual({});
  });

  it('gives support packages of itself and of its peer', async () => {
    const begun = await east!.ask('/nmx/v1/support-packages', {
      headers,
      body: { Switches: [{ Address: 'localhost' }, { Address: addressOf(west!) }] },
    });
    expect(begun.status).toBe(202);
    const operation = async () =>
      east!.json<{ Status: string; Result: { Data: { packages: { fileID: string; switchAddress: string }[]; failures: object[] } } }>(
        begun.headers.location!,
        { headers },
      );
    await expect.poll(async () => (await operation()).Status, { timeout: 20_000 }).toBe('completed');
    const { packages, failures } = (await operation()).Result.Data;
    expect(failures).toEqual([]);
    const serials: Record<string, string> = {};
    for (const { fileID, switchAddress } of packages) {
      const { body } = await east!.ask(`/nmx/v1/support-packages/${fileID}`, { headers });
      const path = join(folder.path, `${fileID}.tar.gz`);
      writeFileSync(path, body);
      const manifest = JSON.parse(execFileSync('tar', ['xzOf', path, 'manifest.json'], { encoding: 'utf8' })) as Manifest;
      serials[switchAddress] = manifest.about.serial;
      expect(manifest.entries.some(({ section }) => section === 'user_credentials')).toBe(false);
    }
    expect(serials).toEqual({ localhost: await serialOf(east!), [addressOf(west!)]: await serialOf(west!) });
    expect(await west!.json('/nmx/v1/support-packages', { headers })).toEqual([]);
  });

  it('relays a call to its peer, and not that for a status', async () => {
    const client = await rpcOf(east!);
    const target = addressOf(west!);
    expect((await client.call('device_info_get_public', undefined, { target })).result).toMatchObject({ serial: await serialOf(west!) });
    expect((await client.call('no_such_method', undefined, { target })).error?.code).toBe('rpc_method_not_found');
    expect((await client.call('diagnostic_package_status_get', undefined, { target })).error?.code).toBe('rpc_invalid_request');
    // Nobody makes it ask another without being an admin here.
    expect((await new RpcClient(east!).call('device_ping', undefined, { target })).status).toBe(401);
  });

  it('says so where its password is not right at the peer, and where the peer is down', async () => {
    const south = await begin('south');
    await introduce(east!, south, 'south', 'not the password');
    const client = await rpcOf(east!);
    for (const why of [/password/, /listens|answer/]) {
      const { result, error } = await client.ended(await client.start({ ...ALL, target: addressOf(south) }));
      expect([result!['return_code'], error?.code, error?.suberrors?.[0]?.code]).toEqual(['error', 'async_action_end_error', 'remote_call_error']);
      expect(error?.message_params?.['reason']).toMatch(why);
      expect(JSON.stringify(error)).not.toContain('not the password');
      if (why.test('password')) await south.stop();
    }
    probes.splice(probes.indexOf(south), 1);
  });

  it('asks nobody whom it was not told of', async () => {
    const { port } = trap.address() as AddressInfo;
    const client = await rpcOf(east!);
    const peer = addressOf(west!);
    const tricks = [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `[::1]:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
      `127.1:${port}`,
      `2130706433:${port}`,
      `0x7f000001:${port}`,
      `017700000001:${port}`,
      `0:${port}`,
      `${peer}@127.0.0.1:${port}`,
      `127.0.0.1:${port}#${peer}`,
      `127.0.0.1:${port}?${peer}`,
      `127.0.0.1:${port}/${peer}`,
      `https://127.0.0.1:${port}`,
      `//127.0.0.1:${port}`,
      ` 127.0.0.1:${port}`,
      `127.0.0.1:${port} `,
      `127.0.0.1:${port}\r\nHost: x`,
      `127.0.0.1:${port}\u0000`,
      `127。0。0。1:${port}`,
      `①②⑦.0.0.1:${port}`,
      `spillway.localtest.me:${port}`,
      '169.254.169.254',
    ];
    for (const target of tricks) {
      const started = await client.call('diagnostic_package_start', { ...ALL, target });
      expect([target, started.error?.code]).toEqual([target, 'rpc_invalid_parameter']);
      const relayed = await client.call('device_ping', undefined, { target });
      expect([target, relayed.error?.code]).toEqual([target, 'rpc_invalid_parameter']);
      const collected = await east!.ask('/nmx/v1/support-packages', { headers, body: { Switches: [{ Address: target }] } });
      expect([target, collected.status]).toEqual([target, 400]);
    }
    expect(trapped).toBe(0);
  });
});
