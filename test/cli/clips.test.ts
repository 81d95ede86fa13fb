/** `spillway clips`, and what it means for `spillway jobs delete`. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Jobs, KEEP_ALL, type Job } from '../../src/buffer/jobs.js';
import { payload } from '../support/build.js';
import { FakeBuffer } from '../support/buffer.js';
import { temporaryFolder } from '../support/temporary.js';
import { expectSentence, run, type Outcome } from './support.js';

const folder = temporaryFolder();
const HOUR_NS = 3_600_000_000_000n;

let data = '';
let job: Job;
let made = 0;
/** Packets came an hour ago, half an hour ago and five minutes ago. */
let times: bigint[];

const spillway = (...args: string[]): Promise<Outcome> => run([...args, '--data', data]);
const pins = (): number => readdirSync(join(job.folder, '0-va')).filter((name) => name.includes('.pin-')).length;

async function created(...args: string[]): Promise<Record<string, unknown>> {
  const { exit, stdout, stderr } = await spillway('clips', 'create', 'jobs/uplink', '--json', ...args);
  expect([exit, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function refused(args: string[], exit: number, code: string, sentence: string): Promise<void> {
  const outcome = await spillway(...args);
  expect(outcome.exit, outcome.stderr).toBe(exit);
  expectSentence(outcome.stderr, code);
  expect(outcome.stderr).toContain(sentence);
}

beforeEach(async () => {
  data = join(folder.path, String(made++));
  job = await new Jobs(data).put('uplink', { ...KEEP_ALL, interfaces: ['va'] });
  const buffer = new FakeBuffer(join(job.folder, '0-va'));
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  times = [nowNs - HOUR_NS, nowNs - HOUR_NS / 2n, nowNs - HOUR_NS / 12n];
  for (const ticks of times) {
    buffer.store([{ ticks, data: payload(60) }]);
    buffer.seal();
  }
  buffer.publish(nowNs, 'stopped');
});

describe('spillway clips', () => {
  it('keeps a range that counts from now, lists and deletes it', async () => {
    const clip = await created('--from', '-40m', '--to', '-10m', '--reason', 'the outage', '--owner', 'ann', '--keep-for', '30d');
    const seconds = (name: string): number => Number(clip[name]);
    expect(clip).toMatchObject({
      job: { id: job.id, name: 'uplink' },
      owner: 'ann',
      reason: 'the outage',
      held: { segments: 1, missing_segments: 0 },
    });
    expect(seconds('created') - Date.now() / 1000).toBeCloseTo(0, -1);
    for (const [name, ago] of Object.entries({ start: 2400, end: 600, expires: -30 * 86_400 }))
      expect(seconds('created') - seconds(name)).toBeCloseTo(ago, 1);
    const held = clip['held'] as Record<string, unknown>;
    expect(BigInt(String(held['from']).replace('.', ''))).toBe(times[1]);
    expect(held['to']).toBe(held['from']);
    expect(pins()).toBe(1);
    const id = String(clip['id']);
    const { stdout } = await spillway('clips');
    expect(stdout).toMatch(
      new RegExp(`^clips/${id} {2}jobs/uplink {2}from \\S+Z to \\S+Z {2}.* in 1 segment {2}kept by ann until \\S+Z {2}the outage\\n$`),
    );
    expect(JSON.parse((await spillway('clips', '--json')).stdout)).toEqual(clip);
    expect(await spillway('clips', 'delete', id)).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect((await spillway('clips')).stdout).toBe('');
    expect(pins()).toBe(0);
    await refused(['clips', 'delete', id], 2, 'CLIP_NOT_FOUND', 'there is no clip');
  });

  it('keeps all there is for the user who asks, where nothing else is said', async () => {
    const clip = await created();
    expect(clip).toMatchObject({ reason: '', start: null, expires: null, held: { segments: 3 } });
    expect(clip['owner']).not.toBe('');
    const { stdout } = await spillway('clips');
    expect(stdout).toMatch(/ {2}from the beginning to \S+Z {2}.* {2}kept by \S+ until it is deleted\n$/);
    // As it is listed.
    expect((await spillway('clips', 'delete', `clips/${String(clip['id'])}`)).exit).toBe(0);
    expect(pins()).toBe(0);
  });

  it('forgets what has expired', async () => {
    await created('--keep-for', '300ms');
    expect(pins()).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect((await spillway('clips')).stdout).toBe('');
    expect(pins()).toBe(0);
  });

  it('tells where clips take most of a buffer', async () => {
    const { bytes } = (await created('--from', '-10m'))['held'] as { bytes: number };
    await new Jobs(data).put('uplink', { ...KEEP_ALL, interfaces: ['va'], retainBytes: 4 * bytes });
    expect((await spillway('clips', 'create', 'jobs/uplink', '--from', '-10m')).stderr).toBe('');
    const { exit, stderr } = await spillway('clips', 'create', 'jobs/uplink');
    expect(exit).toBe(0);
    expect(stderr).toMatch(/^spillway: clips hold \d.* of the \d.* that jobs\/uplink keeps\n$/);
  });

  it('shows a missing file, and nothing that steers the terminal', async () => {
    const clip = await created();
    rmSync(join(job.folder, '0-va', '0000000000000002.pcapng'));
    const file = join(job.folder, 'clips', `${String(clip['id'])}.json`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"reason": ""', '"reason": "a\\u001b[2J"'));
    const { stdout } = await spillway('clips');
    expect(stdout).toContain(' in 2 segments (1 missing)  ');
    expect(stdout).toContain('  a\\x1b[2J\n');
  });

  it.each<[string[], number, string, string]>([
    [['clips', 'create'], 1, 'REQUEST_INVALID', 'say spillway clips'],
    [['clips', 'delete'], 1, 'REQUEST_INVALID', 'say spillway clips'],
    [['clips', 'list'], 1, 'REQUEST_INVALID', 'say spillway clips'],
    [['clips', 'delete', 'a', 'b'], 1, 'REQUEST_INVALID', 'say spillway clips'],
    [['clips', '--from', '-1h'], 1, 'REQUEST_INVALID', '--from goes with spillway clips create'],
    [['clips', 'delete', 'a', '--reason', 'x'], 1, 'REQUEST_INVALID', '--reason goes with spillway clips create'],
    [['clips', 'create', 'uplink'], 1, 'REQUEST_INVALID', '"uplink" is no job: write jobs/NAME'],
    [['clips', 'create', 'jobs/none'], 2, 'SOURCE_NOT_FOUND', 'there is no job "none"'],
    [['clips', 'create', 'jobs/uplink', '--from', 'soon'], 1, 'TIME_INVALID', '--from: "soon"'],
    [['clips', 'create', 'jobs/uplink', '--to', '+1m'], 1, 'TIME_INVALID', 'is yet to come'],
    [['clips', 'create', 'jobs/uplink', '--from', '-1m', '--to', '-2m'], 1, 'TIME_INVALID', 'the range ends before it begins'],
    [['clips', 'create', 'jobs/uplink', '--from', '-1m', '--to', '-1m'], 1, 'TIME_INVALID', 'there is no time from'],
    [['clips', 'create', 'jobs/uplink', '--keep-for', '7'], 1, 'TIME_INVALID', '--keep-for: "7"'],
    [['clips', 'create', 'jobs/uplink', '--keep-for', '0s'], 1, 'TIME_INVALID', 'would have expired'],
    [['clips', 'create', 'jobs/uplink', '--owner', ''], 1, 'REQUEST_INVALID', 'the owner of a clip has no name'],
    [['clips', 'create', 'jobs/uplink', '--reason', 'a\nb'], 1, 'REQUEST_INVALID', 'holds a control character'],
    [['clips', 'create', 'jobs/uplink', '--to', '-2h'], 2, 'SOURCE_EMPTY', 'jobs/uplink holds no packets before'],
    [['clips', 'delete', '../x'], 2, 'CLIP_NOT_FOUND', 'there is no clip "../x"'],
  ])('refuses %j', async (args, exit, code, sentence) => {
    await refused(args, exit, code, sentence);
    expect(pins()).toBe(0);
  });

  it('lists nothing where there is no data folder', async () => {
    expect(await run(['clips', '--data', join(folder.path, 'none')])).toEqual({ exit: 0, stdout: '', stderr: '' });
  });
});

describe('spillway jobs delete', () => {
  it('leaves a job that has clips, unless it is told to let go of them', async () => {
    await created();
    await refused(
      ['jobs', 'delete', 'uplink'],
      2,
      'JOB_HAS_CLIPS',
      'a clip holds packets of the job uplink: spillway jobs delete uplink --clips lets go of them, too',
    );
    await created('--from', '-10m');
    await refused(['jobs', 'delete', 'uplink'], 2, 'JOB_HAS_CLIPS', '2 clips hold packets');
    expect(existsSync(join(job.folder, '0-va', '0000000000000001.pcapng'))).toBe(true);
    expect(await spillway('jobs', 'delete', 'uplink', '--clips')).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(existsSync(job.folder)).toBe(false);
  });

  it('needs no --clips where there are none, and --clips goes with nothing else', async () => {
    await refused(['jobs', '--clips'], 1, 'REQUEST_INVALID', '--clips goes with spillway jobs delete');
    await refused(['jobs', 'stop', 'uplink', '--clips'], 1, 'REQUEST_INVALID', '--clips goes with spillway jobs delete');
    expect((await spillway('jobs', 'delete', 'uplink')).exit).toBe(0);
    expect(existsSync(job.folder)).toBe(false);
  });
});
