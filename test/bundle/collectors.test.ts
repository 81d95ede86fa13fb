/** What collectors tell of a probe that is a folder: held against what was put there. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SECTIONS } from '../../src/bundle/collector.js';
import { collectorsOf } from '../../src/bundle/collectors.js';
import { BOUNDS, KEPT } from '../../src/bundle/limits.js';
import type { AuditRow } from '../../src/state/audit.js';
import { packageVersion } from '../../src/root.js';
import { payload } from '../support/build.js';
import { lossFile, lossRecord } from '../support/buffer.js';
import { temporaryFolder } from '../support/temporary.js';
import { collected, factsOf, jobWith, named, run } from './facts.js';

const folder = temporaryFolder();
let made = 0;
const fresh = (): string => join(folder.path, String(made++));
const SECOND = 1_000_000_000n;

describe('the list of collectors', () => {
  const collectors = collectorsOf(factsOf(fresh(), { tasks: () => [], peers: () => [] }));

  it('has names, files and bounds of their own', () => {
    for (const of of ['name', 'file'] as const) expect(new Set(collectors.map((each) => each[of])).size).toBe(collectors.length);
    for (const { maxBytes, maxMs, file } of collectors) {
      expect(maxBytes).toBeGreaterThan(0);
      expect(maxBytes).toBeLessThanOrEqual(8 << 20);
      expect(maxMs).toBeLessThanOrEqual(20_000);
      expect(file).toMatch(/^[a-z_]+(\/[a-z-]+)?\.(json|jsonl|csv|txt|log)$/);
    }
  });

  it('puts files into folders of their sections', () => {
    for (const { section, file } of collectors) expect(section === null ? file : file.split('/')[0]).toBe(section ?? 'versions.json');
    const offline = ['configuration', 'event_logs', 'status', 'system_log', 'user_credentials'];
    expect(new Set(collectors.flatMap(({ section }) => section ?? []))).toEqual(new Set(offline));
    expect(SECTIONS.filter((section) => !offline.includes(section))).toEqual(['statistics']);
  });

  it('leaves out tasks and peers where there are none to tell', () => {
    const names = collectorsOf(factsOf(fresh())).map(({ name }) => name);
    expect(names).not.toContain('tasks');
    expect(names).not.toContain('peers');
  });

  it('gives password hashes in one file alone', async () => {
    const users = [{ name: 'ann', role: 'admin', password: 'scrypt:HASH', sources: ['jobs/*'] }];
    const facts = factsOf(fresh(), { users: () => users });
    for (const collector of collectorsOf(facts)) {
      const { text } = await run(collector).catch(() => ({ text: '' }));
      expect(text.includes('scrypt:HASH'), collector.name).toBe(collector.section === 'user_credentials');
    }
    expect(await collected(facts, 'users')).toEqual([{ name: 'ann', role: 'admin', sources: ['jobs/*'], password_hash: 'scrypt:HASH' }]);
  });
});

it('tells versions', async () => {
  const facts = factsOf(fresh(), { version: packageVersion() });
  const told = await collected<Record<string, unknown>>(facts, 'versions');
  expect(told).toMatchObject({ spillway: packageVersion(), serial: 'SERIAL', server: null, node: process.version, addon_agrees: true });
  expect(told['libpcap']).toMatch(/^libpcap version \d/);
  expect(told['kernel']).toBe(execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim());
});

describe('configuration', () => {
  it('holds jobs, groups, clips and limits', async () => {
    const facts = factsOf(fresh());
    const { job } = await jobWith(facts.jobs, 'uplink', [SECOND, 2n * SECOND, 3n * SECOND]);
    const clip = await facts.clips.create({ job, startNs: SECOND, endNs: 3n * SECOND, owner: 'ann', reason: 'an alarm', expiresNs: null });
    await facts.vifgs.settings.change((stored) =>
      stored.ownGroups.push({ id: 1_000_001, name: 'pair', description: '', enabled: true, members: [] }),
    );
    const told = await collected<{ jobs: object[]; groups: object[]; settings: object }>(facts, 'captures');
    expect(told.jobs).toEqual([{ id: job.id, name: 'uplink', settings: job.settings }]);
    expect(told.groups).toContainEqual(expect.objectContaining({ id: 1_000_001, name: 'pair' }));
    expect(await collected(facts, 'clips')).toEqual([
      expect.objectContaining({
        ...{ id: clip.id, job: 'uplink', owner: 'ann', reason: 'an alarm', expires: null },
        ...{ start: '1970-01-01T00:00:01.000000000Z', holds: [{ interface: '0-va', segments: 2 }] },
      }),
    ]);
    expect(await collected(facts, 'probe')).toMatchObject({ data_folder: facts.dataFolder, started_with: null, limits: { captureJobs: 256 } });
  });

  it('says what of it can not be read, and tells the rest', async () => {
    const facts = factsOf(fresh());
    await jobWith(facts.jobs, 'uplink', [SECOND]);
    writeFileSync(join(facts.dataFolder, 'settings.json'), '{"version": 7}');
    const told = await collected<{ jobs: object[]; settings: { error: string } }>(facts, 'captures');
    expect(told.jobs).toHaveLength(1);
    expect(told.settings.error).toContain('its version is 7');
  });

  it('passes on what is known of peers', async () => {
    expect(await collected(factsOf(fresh(), { peers: () => [{ address: '192.0.2.1' }] }), 'peers')).toEqual([{ address: '192.0.2.1' }]);
  });
});

describe('status', () => {
  it('has jobs that are not captured, with what they counted', async () => {
    const facts = factsOf(fresh());
    const { job } = await jobWith(facts.jobs, 'uplink', [SECOND, 2n * SECOND]);
    expect(await collected(facts, 'jobs')).toEqual([
      {
        ...{ id: job.id, name: 'uplink', enabled: null, running: 'STOPPED' },
        interfaces: [{ name: 'va', packets: 2, bytes: null, lost: { ring: 0, queue: 0, disk: 0 } }],
      },
    ]);
  });

  it('writes exports one a line, with counts above 2^53', async () => {
    const facts = factsOf(fresh(), { exports: () => [{ id: 'x', bytes: 2n ** 60n }] });
    expect((await run(named(collectorsOf(facts), 'exports'))).text).toBe('{"id":"x","bytes":1152921504606846976}\n');
  });

  it('maps the buffer: sums, and each segment where more is asked', async () => {
    const facts = factsOf(fresh());
    const { buffer } = await jobWith(facts.jobs, 'uplink', [SECOND, 2n * SECOND, 3n * SECOND]);
    buffer.store([{ ticks: 4n * SECOND, data: payload(60) }]);
    const sum = {
      ...{ job: 'uplink', interface: '0-va', segments: 4, sealed: 3, indexes: 3, pins: 0 },
      ...{ first: '1970-01-01T00:00:01.000000000Z', last: '1970-01-01T00:00:04.000000000Z', state: 'capturing' },
    };
    const [base, ...more] = await collected(facts, 'buffer-map');
    expect(more).toEqual([]);
    expect(base).toMatchObject(sum);
    const verbose = await collected(facts, 'buffer-map', { verbosity: 'verbose' });
    expect(verbose.at(-1)).toEqual(base);
    expect(verbose.slice(0, -1)).toHaveLength(4);
    expect(verbose[1]).toMatchObject({ segment: '0000000000000002', sealed: true, index: true, packets: 1, first: verbose[1]!['last'] });
    expect(verbose[3]).toMatchObject({ segment: '0000000000000004', sealed: false, index: false, packets: 1 });
    const bytes = verbose.slice(0, -1).reduce((all, each) => all + Number(each['bytes']), 0);
    expect(base!['bytes']).toBe(bytes);
    expect(bytes).toBeGreaterThan(4 * 60);
  });

  it('maps losses: sums by kind, and the newest of all', async () => {
    const facts = factsOf(fresh());
    const { buffer } = await jobWith(facts.jobs, 'uplink', [SECOND]);
    const ring = Array.from({ length: 2500 }, (_, i) => lossRecord(1, BigInt(i) * SECOND, BigInt(i) * SECOND + 5n, 3n));
    writeFileSync(join(buffer.folder, 'losses'), lossFile([lossRecord(4, 7n, 9n, 2n ** 64n - 1n), ...ring]));
    const told = await collected(facts, 'loss-map');
    expect(told.slice(0, 2)).toEqual([
      expect.objectContaining({ job: 'uplink', interface: 'va', kind: 'link_down', losses: 1, packets: 0, without_count: 1 }),
      expect.objectContaining({ kind: 'ring', losses: 2500, packets: 7500, without_count: 0, last: '1970-01-01T00:41:39.000000005Z' }),
    ]);
    expect(told).toHaveLength(2 + KEPT.base.losses);
    expect(told.at(-1)).toEqual({
      ...{ loss: 'ring', of: 'uplink/va', packets: 3 },
      ...{ start: '1970-01-01T00:41:39.000000000Z', end: '1970-01-01T00:41:39.000000005Z' },
    });
    expect(await collected(facts, 'loss-map', { verbosity: 'verbose' })).toHaveLength(2 + 2501);
  });

  it('ends the losses at a record that is damaged', async () => {
    const facts = factsOf(fresh());
    const { buffer } = await jobWith(facts.jobs, 'uplink', [SECOND]);
    const records = Array.from({ length: 3000 }, (_, i) => lossRecord(1, BigInt(i), BigInt(i) + 1n, 1n));
    records[2000]!.writeUInt8(records[2000]![20]! ^ 1, 20);
    writeFileSync(join(buffer.folder, 'losses'), lossFile(records));
    expect((await collected(facts, 'loss-map'))[0]).toMatchObject({ losses: 2000 });
  });

  it('says which job can not be read, and tells of the others', async () => {
    const facts = factsOf(fresh());
    const { buffer } = await jobWith(facts.jobs, 'bad', [SECOND]);
    await jobWith(facts.jobs, 'good', [SECOND]);
    mkdirSync(join(buffer.folder, 'losses'));
    const told = await collected(facts, 'loss-map');
    expect(told[0]).toMatchObject({ job: 'bad', error: expect.stringContaining('EISDIR') as string });
    symlinkSync('loop', join(buffer.folder, '..', '1-vb'));
    const map = await collected(facts, 'buffer-map');
    expect(map).toContainEqual(expect.objectContaining({ job: 'good', segments: 1 }));
  });
});

describe('event logs', () => {
  const row = (id: number): AuditRow => ({
    ...{ id, timeMs: 1000 * id, who: 'ann', action: 'login', what: 'password' },
    ...{ filter: null, bytes: id === 5000 ? 2n ** 60n : null, address: '192.0.2.1' },
  });
  const all = Array.from({ length: 5000 }, (_, i) => row(5000 - i));
  const asked: number[] = [];
  const audit = (limit: number, before: number | null): AuditRow[] => {
    asked.push(limit);
    return all.filter(({ id }) => before === null || id < before).slice(0, limit);
  };

  it('have the newest of the audit, asked for in pieces', async () => {
    const told = await collected(factsOf(fresh(), { audit }), 'audit');
    expect(told).toHaveLength(KEPT.base.auditRows);
    expect(told.map(({ id }) => id)).toEqual(all.slice(0, 1000).map(({ id }) => id));
    expect(told[1]).toEqual({
      ...{ time: '1970-01-01T01:23:19.000Z', id: 4999, who: 'ann', action: 'login', what: 'password' },
      ...{ filter: null, bytes: null, address: '192.0.2.1' },
    });
    expect(Math.max(...asked)).toBeLessThanOrEqual(100);
    expect(await collected(factsOf(fresh(), { audit }), 'audit', { verbosity: 'verbose' })).toHaveLength(5000);
  });

  it('have what captures logged, from the end', async () => {
    const facts = factsOf(fresh());
    const { job } = await jobWith(facts.jobs, 'uplink', [SECOND]);
    await jobWith(facts.jobs, 'silent', [SECOND]);
    for (let i = 0; i < 150; i++) appendFileSync(join(job.folder, 'capture.log'), `2026-05-01T12:00:00Z {"repair":"sealed","file":"${i}"}\n`);
    appendFileSync(join(job.folder, 'capture.log'), 'the last one');
    const { text } = await run(named(collectorsOf(facts), 'capture-logs'));
    const lines = text.split('\n');
    expect(lines.slice(0, 3)).toEqual(['== silent', '== uplink', '2026-05-01T12:00:00Z {"repair":"sealed","file":"51"}']);
    expect(lines.slice(-3)).toEqual(['2026-05-01T12:00:00Z {"repair":"sealed","file":"149"}', 'the last one', '']);
  });
});

function* endless(): Generator<unknown> {
  for (let id = 0; ; id++) yield { id, text: 'x'.repeat(100) };
}

it('ends at once where its time is over', async () => {
  const facts = factsOf(fresh(), { exports: endless });
  const stopper = new AbortController();
  let got = 0;
  const reading = (async () => {
    for await (const piece of named(collectorsOf(facts), 'exports').collect({ verbosity: 'base', signal: stopper.signal }) as AsyncIterable<string>)
      if ((got += piece.length) > 1e6) stopper.abort(new Error('over'));
  })();
  await expect(reading).rejects.toThrow('over');
  expect(got).toBeLessThan(BOUNDS.exports.maxBytes);
});
