/**
 * kill -9 of a server that makes packages, again and again: no part of one is ever listed or served, and nothing secret lies
 * about. `npm run crash -- --minutes N` takes N minutes for it.
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { isPartName } from '../../src/state/part-files.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { chance } from '../support/chance.js';
import { temporaryFolder } from '../support/temporary.js';
import { KillableServer, temporaryFiles } from './killable.js';
import { askAt, basic, type Answer, type Ask } from './server.js';

const MINUTES = Number(process.env['SPILLWAY_CRASH_MINUTES'] ?? 0);
const SEED = Number(process.env['SPILLWAY_CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const KILLS = 4;
/** A verbose one takes seconds. */
const VERBOSITIES = MINUTES > 0 ? (['base', 'verbose'] as const) : (['base'] as const);

const PASSWORD = 'planted-password-of-ann';
const PEER_PASSWORD = 'planted-password-for-the-peer';
const PASSPHRASE = 'planted-passphrase';
/** Nobody listens there. */
const PEER = '127.0.0.1:1';
const ALL = { configuration: true, event_logs: true, statistics: true, status: true, system_log: true, user_credentials: true };
const headers = basic('ann', PASSWORD);

const folder = temporaryFolder();
const data = join(folder.path, 'data');
const packages = join(data, 'packages');
const tmp = join(folder.path, 'tmp');

/** Of the whole campaign. */
const tally = { kills: 0, withPart: 0, zips: 0, tars: 0, lost: 0 };
/** What must be nowhere. */
const secrets = [PASSWORD, PEER_PASSWORD, PASSPHRASE];
/** What may be in encrypted packages alone. */
let passwordHash = '';

class Client {
  constructor(
    private readonly server: KillableServer,
    private readonly key: string,
  ) {}

  ask(path: string, ask: Ask = {}): Promise<Answer> {
    return askAt(this.server.port, path, { ...ask, headers });
  }

  async rpc<T>(method: string, params: object = {}): Promise<{ result?: T; error?: { suberrors?: { code: string }[] } }> {
    const { body } = await askAt(this.server.port, '/cgi-bin/rpc.cgi', { body: { method, params }, headers: { apikey: this.key } });
    return JSON.parse(body.toString()) as { result?: T };
  }

  async status(): Promise<{ code: string | undefined; process: string | undefined; why: string | undefined }> {
    const { result, error } = await this.rpc<{ process?: { process_id: string }; return_code?: string }>('diagnostic_package_status_get');
    return { code: result?.return_code, process: result?.process?.process_id, why: error?.suberrors?.[0]?.code };
  }

  async begin(verbosity: string, addresses: string[]): Promise<void> {
    const { result } = await this.rpc('diagnostic_package_start', { ...ALL, verbosity, encryption_passphrase: PASSPHRASE });
    expect(result).toEqual({ process_id: expect.stringMatching(/^[0-9a-f]{24}$/) as string });
    const Switches = addresses.map((Address) => ({ Address }));
    expect((await this.ask('/nmx/v1/support-packages', { body: { Switches } })).status).toBe(202);
  }

  async isBusy(): Promise<boolean> {
    const operations = JSON.parse((await this.ask('/nmx/v1/operations')).body.toString()) as { Status: string }[];
    return (await this.status()).code === undefined || operations.some(({ Status }) => ['pending', 'in-progress'].includes(Status));
  }
}

/** Begins with everything planted, and whole packages. Gives the session's token, and how long packages take, too. */
async function plant(): Promise<{ server: KillableServer; key: string; tookMs: number }> {
  const server = await KillableServer.start(data, tmp);
  const admin = '/api/spillway.admin/1.0';
  const post = async (path: string, body: object, given = headers): Promise<Record<string, string>> => {
    const answer = await askAt(server.port, path, { body, headers: given });
    expect([path, [200, 201].includes(answer.status)], answer.body.toString()).toEqual([path, true]);
    return JSON.parse(answer.body.toString()) as Record<string, string>;
  };
  await post(`${admin}/users`, { name: 'ann', password: PASSWORD, role: 'admin' }, {} as typeof headers);
  const profile = await post(`${admin}/profiles`, { name: 'peer', username: 'ann', password: PEER_PASSWORD });
  await post(`${admin}/peers`, { address: PEER, pin: 'ab'.repeat(32), profile: profile['id'] });
  const key = (await post('/cgi-bin/login.cgi', { username: 'ann', password: PASSWORD }))['token']!;
  secrets.push(key);
  const client = new Client(server, key);
  const began = performance.now();
  await client.begin(VERBOSITIES.at(-1)!, ['localhost', PEER]);
  while (await client.isBusy()) await new Promise((resolve) => setTimeout(resolve, 10));
  const tookMs = performance.now() - began;
  const [zip] = contents('PK');
  const users = JSON.parse(unzipped(zip!, 'user_credentials/users.json')) as { password_hash: string }[];
  passwordHash = users[0]!.password_hash;
  expect(passwordHash.length).toBeGreaterThan(40);
  await check(client);
  Object.assign(tally, { zips: 0, tars: 0 });
  return { server, key, tookMs };
}

/** Paths of the packages that begin so. */
function contents(magic: string): string[] {
  const paths = readdirSync(packages).map((name) => join(packages, name));
  return paths.filter((path) => readFileSync(path).subarray(0, magic.length).equals(Buffer.from(magic, 'latin1')));
}

function unzipped(path: string, ...names: string[]): string {
  const { status, stdout, stderr } = spawnSync('7z', ['x', '-so', `-p${PASSPHRASE}`, path, ...names], { encoding: 'latin1', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`7z: ${stderr}`);
  return stdout;
}

const expectNone = (where: string, text: string, words: readonly string[]): void => {
  expect([where, words.filter((word) => text.includes(word))]).toEqual([where, []]);
};

/** Nothing secret is in any file, half a one or whole, and all are for their owner alone. */
function checkFiles(): void {
  expect(temporaryFiles(tmp)).toEqual([]);
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /^spillway\.db/.test(entry.name)) continue;
    const bytes = readFileSync(path);
    expectNone(path, bytes.toString('latin1'), [...secrets, passwordHash]);
    if (entry.parentPath !== packages) continue;
    expect((lstatSync(path).mode & 0o777).toString(8)).toBe('600');
    // As much of it as there is.
    if (bytes[0] === 0x1f)
      expectNone(path, gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString('latin1'), [...secrets, passwordHash]);
  }
}

/** What is there is whole, is what is listed, and is served so. */
async function check(client: Client): Promise<void> {
  checkFiles();
  for (const name of readdirSync(packages)) expect(name).toMatch(/^[0-9a-f]{24}$/);
  const [zips, tars] = [contents('PK'), contents('\x1f\x8b')];
  expect(zips.length + tars.length).toBe(readdirSync(packages).length);
  for (const path of zips) {
    const text = unzipped(path);
    expect(text).toContain(passwordHash);
    expectNone(path, text, secrets);
  }
  const listed = JSON.parse((await client.ask('/nmx/v1/support-packages')).body.toString()) as { fileID: string; size: number }[];
  expect(listed.map(({ fileID }) => fileID).sort()).toEqual(tars.map((path) => path.slice(-24)).sort());
  for (const { fileID, size } of listed) {
    const { status, body } = await client.ask(`/nmx/v1/support-packages/${fileID}`);
    expect([status, body.length]).toEqual([200, size]);
    expect(spawnSync('tar', ['xzO', 'manifest.json'], { input: body }).status).toBe(0);
  }
  const { code, why, process } = await client.status();
  // One that was made and whose process was lost is replaced with the next.
  expect(zips.length).toBeLessThanOrEqual(1);
  if (code === 'success') {
    const { base64 } = (await client.rpc('diagnostic_package_file_get', { process_id: process })) as { base64?: string };
    expect(Buffer.from(base64!, 'base64').length).toBeGreaterThan(1000);
    // It goes a moment after its last byte has come.
    await expect.poll(() => contents('PK')).toEqual([]);
  } else if (process !== undefined) expect([code, why]).toEqual(['error', 'async_action_lost']);
  tally.zips += Number(code === 'success');
  tally.tars += tars.length;
  tally.lost += Number(why === 'async_action_lost');
  for (const { fileID } of listed) expect((await client.ask(`/nmx/v1/support-packages/${fileID}`, { method: 'DELETE' })).status).toBe(204);
}

async function campaign(seed: number, isOver: () => boolean): Promise<void> {
  const random = chance(seed);
  const { key, tookMs, ...first } = await plant();
  let { server } = first;
  while (!isOver()) {
    const client = new Client(server, key);
    await client.begin(VERBOSITIES[Math.floor(random() * VERBOSITIES.length)]!, random() < 0.5 ? ['localhost'] : ['localhost', PEER]);
    // The first one is not left to chance: it has hardly begun.
    await new Promise((resolve) => setTimeout(resolve, tally.kills === 0 ? 0 : 1.2 * tookMs * random()));
    await server.kill();
    expectNone('what it said', server.said, [...secrets, passwordHash]);
    tally.kills += 1;
    tally.withPart += Number(readdirSync(packages).some(isPartName));
    checkFiles();
    server = await KillableServer.start(data, tmp);
    await check(new Client(server, key));
  }
  await server.kill('SIGTERM');
}

it.runIf(requireOrSkip('7z', hasProgram('7z')))(
  'a server that is killed while it makes packages leaves whole ones, and nothing secret',
  { timeout: (MINUTES + 2) * 60_000 },
  async () => {
    const until = Date.now() + MINUTES * 60_000;
    await campaign(SEED, () => (MINUTES > 0 ? Date.now() >= until : tally.kills >= KILLS));
    console.log(JSON.stringify({ seed: SEED, ...tally }));
    expect(tally.lost).toBeGreaterThan(0);
    // The kills came before, in and after.
    if (MINUTES > 0) expect([tally.withPart, tally.zips, tally.tars].every((count) => count > 0)).toBe(true);
    rmSync(data, { recursive: true });
  },
);
