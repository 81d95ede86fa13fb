/** What collectors read of the system: held against the system's own tools, and against trees in which much is missing. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectorsOf } from '../../src/bundle/collectors.js';
import { KEPT } from '../../src/bundle/limits.js';
import { Places, tailOf } from '../../src/bundle/places.js';
import { printed } from '../../src/bundle/program.js';
import { temporaryFolder } from '../support/temporary.js';
import { collected, factsOf, linesIn, named, run } from './facts.js';

const folder = temporaryFolder();
let made = 0;
const never = new AbortController().signal;

/** A system's tree with nothing in it but these files. */
function tree(files: Record<string, string> = {}): string {
  const root = join(folder.path, `root${made++}`);
  mkdirSync(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
    if (text.startsWith('#!')) chmodSync(join(root, name), 0o755);
  }
  return root;
}

const textOf = async (name: string, root: string): Promise<string> =>
  (await run(named(collectorsOf(factsOf(folder.path), new Places(root)), name))).text;

describe('the machine', () => {
  it('is what its own files say', async () => {
    const told = await collected<Record<string, never>>(factsOf(folder.path), 'system');
    const total = /^MemTotal:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))![1];
    expect(told).toMatchObject({
      kernel: { system: 'Linux', release: release() },
      memory_kb: { MemTotal: Number(total) },
      processors: { count: Number(execFileSync('getconf', ['_NPROCESSORS_ONLN'], { encoding: 'utf8' })) },
      data_disk: { folder: folder.path, bytes: expect.any(Number) as number },
    });
    expect(told['mounts']).toContainEqual({ device: null, folder: '/proc', type: 'proc' });
  });

  it('leaves out options of mounts, and names of what lies elsewhere', async () => {
    const proc = { 'proc/mounts': '/dev/sda1 / ext4 rw 0 0\n//ann:XSECRET@nas/share /mnt cifs rw,username=ann,password=XSECRET 0 0\n' };
    const told = await collected<Record<string, unknown>>(factsOf('/nowhere'), 'system', { root: tree(proc) });
    expect(told['mounts']).toEqual([
      { device: '/dev/sda1', folder: '/', type: 'ext4' },
      { device: null, folder: '/mnt', type: 'cifs' },
    ]);
    expect(JSON.stringify(told)).not.toContain('XSECRET');
    expect(told).toMatchObject({
      uptime_seconds: null,
      load: null,
      memory_kb: null,
      processors: null,
      data_disk: { error: expect.any(String) as string },
    });
  });

  it('has the counters of its interfaces', async () => {
    const loop = (await collected(factsOf(folder.path), 'interfaces')).find(({ name }) => name === 'lo');
    expect(loop).toMatchObject({ ifindex: 1, type: 772, operstate: 'unknown', mtu: Number(readFileSync('/sys/class/net/lo/mtu', 'utf8')) });
    expect(loop!['rx_packets']).toBeGreaterThanOrEqual(0);
    expect(readdirSync('/sys/class/net')).toContain('lo');
  });
});

describe('processes', () => {
  it('are told by name, never with arguments or environment', async () => {
    const secret = `PLANTED-${process.pid}`;
    const child = spawn('sleep', ['60', '0.0001'], { argv0: `sleep-${secret}`, env: { PASSWORD: secret, PATH: process.env['PATH'] } });
    await once(child, 'spawn');
    try {
      const facts = factsOf(folder.path);
      // It can be found where it is looked for.
      expect(readFileSync(`/proc/${child.pid}/cmdline`, 'latin1')).toContain(secret);
      expect(readFileSync(`/proc/${child.pid}/environ`, 'latin1')).toContain(secret);
      const told = await collected(facts, 'processes', { verbosity: 'verbose' });
      const page = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));
      expect(told).toContainEqual(expect.objectContaining({ pid: child.pid, name: 'sleep', parent: process.pid, threads: 1, cpu_seconds: 0 }));
      const own = told.find(({ pid }) => pid === process.pid)!;
      expect(Number(own['rss_bytes']) % page).toBe(0);
      expect(Number(own['rss_bytes']) / process.memoryUsage.rss()).toBeGreaterThan(0.3);
      expect(Number(own['rss_bytes']) / process.memoryUsage.rss()).toBeLessThan(3);
      for (const collector of collectorsOf(facts)) expect((await run(collector, 'verbose').catch(() => ({ text: '' }))).text).not.toContain(secret);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('of our own come with their limits', async () => {
    const [own] = await collected(factsOf(folder.path), 'own-processes');
    expect(own).toMatchObject({ process: 'command line', pid: process.pid, status: { Pid: String(process.pid) } });
    const [soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))!.slice(1);
    expect(own).toMatchObject({ limits: { 'Max open files': { soft, unit: 'files' } } });
  });

  it.each([
    ['a name with parentheses and spaces', '7 (a) (b c) S 1 7 7 0 -1 0 0 0 0 0 150 50 0 0 20 0 3 0 1 0 25 0\n', { name: 'a) (b c', state: 'S', cpu_seconds: 2, threads: 3, rss_bytes: 102_400 }], // prettier-ignore
    ['rubbish', 'nothing of the kind', null],
    ['an empty file', '', null],
  ])('are read from %s', async (_, stat, expected) => {
    const told = await collected(factsOf(folder.path), 'processes', { root: tree({ 'proc/7/stat': stat }) });
    expect(told).toEqual(expected === null ? [] : [expect.objectContaining({ pid: 7, ...expected })]);
  });

  it('are bounded in number', async () => {
    const root = tree();
    for (let pid = KEPT.base.processes + 7; pid > 0; pid--) mkdirSync(join(root, 'proc', String(pid)), { recursive: true });
    expect(await collected(factsOf(folder.path), 'processes', { root })).toEqual([{ left_out: 7 }]);
  });

  it('need a /proc', async () => {
    await expect(collected(factsOf(folder.path), 'processes', { root: tree() })).rejects.toThrow('ENOENT');
    expect(await collected(factsOf(folder.path), 'own-processes', { root: tree() })).toEqual([
      expect.objectContaining({ status: null, limits: null }),
    ]);
  });
});

describe('the logs of the system', () => {
  const journal = (script: string): Record<string, string> => ({ 'usr/bin/journalctl': `#!/bin/sh\n${script}\n` });

  it('come from the journal, asked with an environment of its own', async () => {
    const root = tree({ ...journal('echo "$*"; env'), 'var/log/syslog': 'not this\n' });
    const text = await textOf('system-log', root);
    expect(text).toContain(`# ${root}/usr/bin/journalctl\n--no-pager --quiet --output=short-iso --lines=${KEPT.base.logLines}\n`);
    expect(text).not.toContain('not this');
    expect(text).not.toContain('VITEST');
  });

  it.each([
    ['is not there', {}, 'it is not there'],
    ['fails', journal('echo "no permission" >&2; exit 1'), 'failed (1): no permission'],
    ['shows nothing', journal('true'), 'shows nothing'],
  ])('come from a file where the journal %s', async (_, files, why) => {
    const lines = Array.from({ length: KEPT.base.logLines + 500 }, (__, i) => `line ${i}\n`);
    const text = await textOf('system-log', tree({ ...files, 'var/log/messages': lines.join('') }));
    const [first, second, third, ...rest] = text.split('\n');
    expect(first).toContain(why);
    expect(second).toMatch(/syslog can not be read: it is not there$/);
    expect(third).toMatch(/^# .*\/var\/log\/messages$/);
    expect(rest).toEqual([...lines.slice(500).map((line) => line.trimEnd()), '']);
  });

  it('say so where there are none', async () => {
    expect(linesOf(await textOf('system-log', tree()))).toEqual([
      expect.stringMatching(/journalctl can not be read: it is not there$/),
      expect.stringMatching(/syslog can not be read/),
      expect.stringMatching(/messages can not be read/),
    ]);
    expect(await textOf('kernel-log', tree({ 'usr/bin/dmesg': '#!/bin/sh\necho "Operation not permitted" >&2\nexit 1\n' }))).toMatch(
      /^# .*dmesg can not be read: .*Operation not permitted\n$/,
    );
  });

  it('are no device and no pipe', async () => {
    const root = tree();
    mkdirSync(join(root, 'var/log'), { recursive: true });
    execFileSync('mkfifo', [join(root, 'var/log/syslog')]);
    symlinkSync('/dev/zero', join(root, 'var/log/messages'));
    const text = await textOf('system-log', root);
    expect(text).toContain('syslog can not be read');
    expect(text).toContain('messages can not be read');
  });

  it('has what the kernel says, where there is one to ask', async () => {
    const text = await textOf('kernel-log', '/');
    expect(text).toMatch(/^# \/usr\/bin\/dmesg/);
    if (!existsSync('/usr/bin/dmesg')) expect(text).toContain('it is not there');
  });
});

const linesOf = (text: string): string[] => text.split('\n').filter(Boolean);

describe('the end of a file', () => {
  const long = Array.from({ length: 30_000 }, (_, i) => `the line number ${i}\n`).join('');
  const read = async (text: string, lines: number, maxBytes: number): Promise<string> => {
    let all = '';
    for await (const piece of tailOf(folder.write('log', Buffer.from(text)), lines, maxBytes)) all += piece;
    return all;
  };

  it.each([
    ['', 5, 1000, ''],
    ['a\nb\nc\n', 2, 1000, 'b\nc\n'],
    ['a\nb\nc', 2, 1000, 'b\nc'],
    ['a\nb\n', 5, 1000, 'a\nb\n'],
    ['\n\n\n', 2, 1000, '\n\n'],
    ['aaaa\nbbbb\ncc\n', 9, 5, 'cc\n'],
    ['a line that is longer than that', 9, 5, ''],
    [long, 2, 1 << 20, long.slice(-2 * 'the line number 29999\n'.length)],
    [long, 1e6, 1 << 20, long],
  ])('case %#', async (text, lines, maxBytes, expected) => {
    expect(await read(text, lines, maxBytes)).toBe(expected);
  });
});

describe('a program', () => {
  const sh = (script: string, maxBytes = 1000, signal = never) => printed('/bin/sh', ['-c', script], maxBytes, signal);

  it('is kept at its end, in whole lines', async () => {
    const { text, isCut } = await sh('i=0; while [ $i -lt 40000 ]; do echo $i; i=$((i+1)); done', 70_000);
    expect(isCut).toBe(true);
    expect(linesIn(text).at(-1)).toBe(39_999);
    expect(text.length).toBeLessThan(140_000);
    expect(text.length).toBeGreaterThan(60_000);
  });

  it('fails with its words, and ends with the signal', async () => {
    await expect(sh('echo why >&2; exit 3')).rejects.toThrow('/bin/sh failed (3): why');
    await expect(printed('/nowhere/at/all', [], 10, never)).rejects.toThrow('ENOENT');
    await expect(sh('sleep 60', 10, AbortSignal.timeout(50))).rejects.toThrow('timeout');
  });
});
