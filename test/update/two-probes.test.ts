/**
 * Two probes on loopback, as users start them: one exports its repository, the other imports that, and is updated by a job of
 * the first while it captures.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Jobs } from '../../src/buffer/jobs.js';
import { packageVersion } from '../../src/root.js';
import { canCapture, freshFolder, Network, pause, until } from '../capture/live.js';
import { lossesOf, sealedPackets, upTo } from '../capture/segments.js';
import { Frames, Sending } from '../capture/sending.js';
import { isRoot, SPILLWAY } from '../privileged/household.js';
import { requireOrSkip } from '../setup/require.js';
import { realPackage } from './real-packages.js';
import { Served, UPDATE } from './served.js';

const FRAME_BYTES = 200;
const PACKETS_PER_SECOND = 5000;
const EXPORTS = '/api/npm.packet_export/1.3/exports';
/** Between the last answer of the old server and the first of the new one; on a machine that is busy with other tests. */
const AWAY_MS_MAX = 15_000;

interface MemberStatus {
  status: string;
  data: { update_progress_status: string; error: string; download_status: { status: string }; install_status: { status: string } }[];
}

const idOf = ({ json }: Awaited<ReturnType<Served['ask']>>): string => json['id'] as unknown as string;
const words = ({ json }: Awaited<ReturnType<Served['ask']>>): string => JSON.stringify(json);

it.runIf(requireOrSkip('root and network namespaces', isRoot && canCapture()))(
  'a probe is updated by another one while it captures, and loses nothing',
  { timeout: 240_000 },
  async () => {
    const release = await realPackage(freshFolder(), '0.2.0');
    const port = 31_000 + (process.pid % 1000) * 2;
    const [east, west] = [await Served.make(freshFolder(), port), await Served.make(freshFolder(), port + 1)];
    onTestFinished(async () => {
      for (const probe of [east, west]) await probe.kill();
    });
    east.knows(west);
    west.knows(east);
    await east.start();

    // West captures before it serves, and goes on whatever becomes of it.
    const network = new Network();
    const command = ['netns', 'exec', network.name, SPILLWAY, 'capture', '-i', 'va', '--job', 'load', '--data', west.data];
    const capture: ChildProcess = spawn('ip', command, { stdio: ['ignore', 'inherit', 'pipe'] });
    // It outlives who started it.
    onTestFinished(async () => {
      const [job] = await new Jobs(west.data).list();
      if (job) spawnSync(SPILLWAY, ['jobs', 'stop', job.name, '--data', west.data]);
    });
    await new Promise((resolve) => capture.stderr!.once('data', resolve));
    const sending = new Sending(network, { size: FRAME_BYTES, rate: PACKETS_PER_SECOND, count: 1_000_000 });
    await west.start('--updates');

    // The one's repository becomes the other's.
    const imported = await east.ask(`${UPDATE}/packages`, { method: 'POST', body: readFileSync(release.path), type: 'application/gzip' });
    expect([imported.status, words(imported)]).toEqual([201, expect.stringContaining(release.id)]);

    const repository = '/updateRepositories/firmware';
    const begun = await east.ask(`${repository}?action=export&filetypes=all`, { method: 'PUT', body: {} });
    expect([begun.status, words(begun)]).toEqual([200, expect.anything()]);
    const exporting = `${repository}/status?tasktype=EXPORTREPOSITORY&taskid=${begun.json['taskid'] as unknown as string}`;
    await until(async () => ((await east.ask(exporting)).json as { progress?: number }).progress === 100);
    const { current } = (await east.ask(exporting)).json as { current?: string };
    const zip = await east.ask(`${repository}?action=export&exportRepoFilename=${current}`);
    expect(zip.status).toBe(200);
    const taken = await west.ask(`${repository}?action=import`, { method: 'POST', body: zip.body, type: 'application/zip' });
    expect([taken.status, taken.body.toString()]).toEqual([200, expect.anything()]);
    const kept = (await west.ask(`${UPDATE}/packages`)).json as { items?: { id: string; sha256: string }[] };
    expect(kept.items).toEqual([expect.objectContaining({ id: release.id, sha256: release.sha256 })]);

    // One export that has ended, and one that never does.
    const config = { path: 'fs/admin/sample.pcap', output_format: 'PCAP_NS' };
    const ended = await west.ask(EXPORTS, {
      method: 'POST',
      body: { config: { ...config, mode: 'STREAM_TO_FILE', output_filename: '/ann/kept.pcap' } },
    });
    expect([ended.status, words(ended)]).toEqual([201, expect.anything()]);

    const live = await west.ask(EXPORTS, { method: 'POST', body: { config: { path: 'jobs/load', mode: 'LIVE_STREAM', output_format: 'PCAP_NS' } } });
    expect([live.status, words(live)]).toEqual([201, expect.anything()]);
    const streaming = west.ask(`/api/npm.packet_export/1.3/packets/items/${idOf(live)}`).catch(() => undefined);

    const drafted = await east.ask('/lcm/update-jobs', {
      method: 'POST',
      body: { name: 'west', image_file_name: release.id, switch_members: [{ id: west.address }] },
    });
    expect([drafted.status, words(drafted)]).toEqual([200, expect.anything()]);
    const job = `/lcm/update-jobs/${drafted.json['new_object_id'] as unknown as string}`;
    for (const [step, body] of [
      ['approve', {}],
      ['deploy', { job_type: 'NOW' }],
    ] as const) {
      const answer = await east.ask(`${job}/${step}`, { method: 'POST', body });
      expect([answer.status, words(answer)]).toEqual([200, expect.anything()]);
    }

    let awayMs = 0;
    let lastMs = performance.now();
    const seen = new Set<string>();
    const status = async (): Promise<MemberStatus> => (await east.ask(`${job}/status`, { method: 'POST', body: {} })).json as unknown as MemberStatus;
    await until(async () => {
      if (await west.answers()) {
        awayMs = Math.max(awayMs, performance.now() - lastMs);
        lastMs = performance.now();
      }
      const now = await status();
      seen.add(now.data[0]!.update_progress_status);
      return !['NOT_STARTED', 'IN_PROGRESS'].includes(now.status);
    }, 120_000);
    expect(await status()).toMatchObject({
      status: 'SUCCESS',
      data: [
        {
          update_progress_status: 'SUCCESS',
          error: 'NOT_SET',
          download_status: { status: 'DOWNLOAD_SUCCESS' },
          install_status: { status: 'INSTALL_SUCCESS' },
        },
      ],
    });
    expect([...seen].at(-1)).toBe('SUCCESS');
    console.log(`the probe was away for ${Math.round(awayMs)} ms; its job went through ${[...seen].join(', ')}`);
    expect(awayMs).toBeLessThan(AWAY_MS_MAX);

    // The new release runs, and what was there is there.
    expect((await west.ask(`${UPDATE}/status`)).json).toMatchObject({ running: { version: '0.2.0', slot: 'a' }, on_trial: false });
    expect((await east.ask(`${UPDATE}/status`)).json).toMatchObject({ running: { version: packageVersion(), slot: 'installed' } });
    for (const [made, state] of [
      [ended, /"DONE"/],
      [live, /"ERRORS".*INTERRUPTED/],
    ] as const) {
      const found = await west.ask(`${EXPORTS}/items/${idOf(made)}`);
      expect([found.status, words(found)]).toEqual([200, expect.stringMatching(state)]);
    }
    await streaming;

    await pause(500);
    await sending.stop();
    execFileSync(SPILLWAY, ['jobs', 'stop', 'load', '--data', west.data]);
    const own = join((await new Jobs(west.data).get('load')).folder, '0-va');
    expect(lossesOf(own)).toEqual([]);
    const frames = new Frames(FRAME_BYTES);
    const numbers = sealedPackets(own).map((packet) => frames.read(packet));
    expect(numbers.length).toBeGreaterThan(PACKETS_PER_SECOND);
    expect(numbers).toEqual(upTo(0, numbers.length));
  },
);
