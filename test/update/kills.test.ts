/**
 * kill -9 in the middle of an update, again and again: afterwards the probe runs the old or the new release, never neither.
 * `npm run crash -- --minutes N` takes N minutes for it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freshFolder, pause, until } from '../capture/live.js';
import { makeCertificate } from '../peer/certificates.js';
import { FakePeer } from '../peer/fake-peer.js';
import { isRoot } from '../privileged/household.js';
import { chance } from '../support/chance.js';
import { sendRange } from './member-rooms.js';
import { realPackage, type RealPackage } from './real-packages.js';
import { killIfThere, Served, UPDATE } from './served.js';

const MINUTES = Number(process.env['SPILLWAY_CRASH_MINUTES'] ?? 0);
const SEED = Number(process.env['SPILLWAY_CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const KILLS = 1;
/** An update takes some seconds until the switch, and some more until the release is no longer on trial. */
const WINDOW_MS = 4000;
const LATE_MS = 3000;

interface Status {
  running: { version: string; slot: string };
  install: { id: string; version: string; update_progress_status: string; error: string } | null;
}

const statusOf = async (probe: Served): Promise<Status> => (await probe.ask(`${UPDATE}/status`)).json as unknown as Status;

function isSwitched(data: string, id: string): boolean {
  try {
    const { trial, last } = JSON.parse(readFileSync(join(data, 'updates', 'slots.json'), 'utf8')) as Record<
      'trial' | 'last',
      { install: string } | null
    >;
    return trial?.install === id || last?.install === id;
  } catch {
    return false;
  }
}

/** Nothing of an update is left but what the state names. */
function expectTidy(data: string): void {
  const updates = join(data, 'updates');
  const { slots } = JSON.parse(readFileSync(join(updates, 'slots.json'), 'utf8')) as { slots: Record<'a' | 'b', object | null> };
  for (const slot of ['a', 'b'] as const) if (slots[slot]) expect(existsSync(join(updates, slot, 'bin', 'spillway'))).toBe(true);
  expect(readdirSync(join(updates, 'downloads'))).toEqual([]);
  expect(
    readdirSync(updates).filter((name) => !['slots.json', 'a', 'b', 'before.db', 'repository', 'downloads', 'launcher.lock'].includes(name)),
  ).toEqual([]);
}

describe.runIf(isRoot)('a probe that is killed while it is updated', () => {
  const what = MINUTES > 0 ? `for ${MINUTES} minutes` : 'once';

  it(`${what} runs the old or the new release, and ends the update`, { timeout: (MINUTES + 5) * 60_000 }, async () => {
    const random = chance(SEED);
    const versions = MINUTES > 0 ? ['0.2.0', '0.3.0'] : ['0.2.0'];
    const packages = await Promise.all(versions.map((version) => realPackage(freshFolder(), version)));
    const pair = await makeCertificate();
    const image = await FakePeer.https(pair, (request, response) => {
      const { path, sha256 } = packages.find(({ id }) => request.path.includes(id))!;
      sendRange(readFileSync(path), sha256, request, response);
    });
    onTestFinished(() => image.stop());
    const probe = await Served.make(freshFolder(), 20_000 + Math.floor(10_000 * random()));
    onTestFinished(() => probe.kill());
    probe.knows({ address: `127.0.0.1:${image.port}`, pin: pair.pin });
    await probe.start('--updates');

    const tally = { seed: SEED, kills: 0, old: 0, new: 0, resumed: 0, ended: {} as Record<string, number> };
    const end = Date.now() + MINUTES * 60_000;
    while (MINUTES > 0 ? Date.now() < end : tally.kills < KILLS) {
      const before = await statusOf(probe);
      const wanted = packages.find(({ version }) => version !== before.running.version)!;
      const id = await begin(probe, image.port, wanted);
      // In half of the cases around the restart, and behind it.
      const isLate = random() < 0.5;
      if (isLate) await until(() => isSwitched(probe.data, id), 60_000);
      await pause(random() * (isLate ? LATE_MS : WINDOW_MS));
      await killSome(probe, random());
      tally.kills++;
      await probe.start('--updates');
      const after = await statusOf(probe);
      expect([before.running.version, wanted.version]).toContain(after.running.version);
      tally[after.running.version === before.running.version ? 'old' : 'new']++;
      if (!isOver(after, id)) tally.resumed++;
      await until(async () => isOver(await statusOf(probe).catch(() => after), id), 60_000);
      const last = await statusOf(probe);
      const { update_progress_status: word, error } = last.install!;
      expect([word, error, last.running.version]).toEqual(
        word === 'SUCCESS' ? ['SUCCESS', 'NOT_SET', wanted.version] : ['FAILED', 'IMAGE_ACTIVATION_FAILED', before.running.version],
      );
      tally.ended[word] = (tally.ended[word] ?? 0) + 1;
      expectTidy(probe.data);
      if (MINUTES > 0) console.log(JSON.stringify(tally));
    }
    console.log(JSON.stringify(tally));
    expect(tally.kills).toBeGreaterThanOrEqual(KILLS);
  });
});

const isOver = ({ install }: Status, id: string): boolean => install?.id === id && ['SUCCESS', 'FAILED'].includes(install.update_progress_status);

async function begin(probe: Served, port: number, { id, version, bytes, sha256 }: RealPackage): Promise<string> {
  const body = { url: `https://127.0.0.1:${port}/${id}`, package: id, version, bytes, sha256, allow_older: true };
  const { status, json, body: text } = await probe.ask(`${UPDATE}/install`, { method: 'POST', body });
  expect([status, text.toString()]).toEqual([202, expect.anything()]);
  return json['id'] as unknown as string;
}

/** The server, what is above it, or all at once; then whatever is left, as the end of a machine does. */
async function killSome(probe: Served, choice: number): Promise<void> {
  const pids = probe.pids();
  const one = choice < 0.6 ? pids[Math.floor((choice / 0.6) * pids.length)] : undefined;
  if (one !== undefined) {
    killIfThere(one);
    await pause(50);
  }
  await probe.kill();
  await probe.stop('SIGKILL');
}
