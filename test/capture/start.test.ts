/** Starting: refusals with one coded sentence, and the life in the background. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { canCapture, CAPTURE, Capture, command, freshFolder, Network, status, until } from './live.js';

interface Ended {
  code: number | null;
  error: string;
  out: string;
}
function start(args: string[], [program, ...before]: [string, ...string[]] = [CAPTURE]): Ended {
  const { status: code, stderr, stdout } = spawnSync(program, [...before, ...args], { encoding: 'utf8', timeout: 20_000 });
  return { code, error: stderr, out: stdout };
}
const sentence = (code: string): RegExp => new RegExp(`^spillway-capture: .+ \\[${code}\\]\\n$`);

describe.runIf(process.platform === 'linux')('spillway-capture', () => {
  it('tells its version and how it is used', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(start(['--version'])).toEqual({ code: 0, error: '', out: `${manifest.version}\n` });
    expect(start(['--help']).out).toMatch(/^usage: spillway-capture --folder DIR --interface NAME/);
  });

  it('refuses a wrong command line with 1', () => {
    for (const args of [[], ['--folder', 'x'], ['--bogus'], ['--folder', 'x', '--interface', 'lo', '--snap', '0']]) {
      const { code, error } = start(args);
      expect(code).toBe(1);
      expect(error).toMatch(sentence('REQUEST_INVALID'));
    }
  });
});

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a capture that can not start', () => {
  const refused = (args: string[], code: string, command?: [string, ...string[]]): string => {
    const ended = start(args, command);
    expect(ended.code, ended.error).toBe(2);
    expect(ended.error).toMatch(sentence(code));
    expect(ended.out).toBe('');
    return ended.error;
  };

  it('for want of an interface, or of privilege', () => {
    const folder = join(freshFolder(), 'job');
    expect(refused(['--folder', folder, '--interface', 'nosuch0'], 'INTERFACE_NOT_FOUND')).toMatch(/nosuch0/);
    refused(['--folder', folder, '--interface', 'a-name-that-is-too-long'], 'INTERFACE_NOT_FOUND');
    if (!requireOrSkip('setpriv', hasProgram('setpriv'))) return;
    const place = freshFolder();
    chmodSync(place, 0o777);
    copyFileSync(CAPTURE, join(place, 'capture'));
    chmodSync(join(place, 'capture'), 0o755);
    const nobody: [string, ...string[]] = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', join(place, 'capture')];
    expect(refused(['--folder', join(place, 'job'), '--interface', 'lo'], 'CAPTURE_NOT_PERMITTED', nobody)).toMatch(/CAP_NET_RAW/);
  });

  it('for its program', () => {
    const place = freshFolder();
    const args = (name: string): string[] => ['--folder', join(place, 'job'), '--interface', 'lo', '--program', join(place, name)];
    refused(args('none'), 'PROGRAM_INVALID');
    for (const [name, bytes] of Object.entries({
      empty: Buffer.alloc(0),
      odd: Buffer.alloc(9),
      // A jump behind the end, and a program without a return.
      jump: Buffer.from([0x15, 0, 9, 9, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]),
      endless: Buffer.from([0x20, 0, 0, 0, 0, 0, 0, 0]),
    })) {
      writeFileSync(join(place, name), bytes);
      refused(args(name), 'PROGRAM_INVALID');
    }
  });

  it('for its folder', async () => {
    const place = freshFolder();
    const args = (folder: string): string[] => ['--folder', folder, '--interface', 'lo'];
    refused(args(join(place, 'no', 'parent')), 'CAPTURE_FOLDER_UNUSABLE');
    writeFileSync(join(place, 'file'), '');
    refused(args(join(place, 'file')), 'CAPTURE_FOLDER_UNUSABLE');
    mkdirSync(join(place, 'newer'));
    writeFileSync(join(place, 'newer', 'format'), 'spillway-capture 999\n');
    expect(refused(args(join(place, 'newer')), 'CAPTURE_FOLDER_NEWER')).toMatch(/format 999/);
    const disk = join(place, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', disk]);
    onTestFinished(() => void spawnSync('umount', ['-l', disk]));
    expect(refused(args(disk), 'CAPTURE_FOLDER_UNUSABLE')).toMatch(/Read-only/);
    const full = join(place, 'full');
    mkdirSync(full);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', full]);
    onTestFinished(() => void spawnSync('umount', ['-l', full]));
    spawnSync('dd', ['if=/dev/zero', `of=${join(full, 'filler')}`, 'bs=4k'], { stdio: 'ignore' });
    expect(refused(args(full), 'CAPTURE_FOLDER_UNUSABLE')).toMatch(/No space/);
    const network = new Network();
    const job = join(place, 'job');
    const capture = await Capture.start(network, job, ['--interface', 'lo']);
    expect(refused(args(job), 'CAPTURE_FOLDER_LOCKED')).toContain(`process ${capture.pid}`);
    refused(['--recover', '--folder', job], 'CAPTURE_FOLDER_LOCKED');
    await capture.stop();
  });

  it('leaves no folder behind for an interface that is not there', () => {
    const folder = join(freshFolder(), 'job');
    refused(['--folder', folder, '--interface', 'nosuch0'], 'INTERFACE_NOT_FOUND');
    expect(existsSync(folder)).toBe(false);
  });
});

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a capture in the background', () => {
  it('is ready when its starter returns, and outlives it', async () => {
    const network = new Network();
    // Longer than a socket's name may be.
    const folder = join(freshFolder(), 'x'.repeat(120));
    const out = execFileSync('ip', ['netns', 'exec', network.name, CAPTURE, '--folder', folder, '--interface', 'va'], { encoding: 'utf8' });
    const { ready, pid } = JSON.parse(out) as { ready: boolean; pid: number };
    onTestFinished(() => void spawnSync('kill', ['-9', `${pid}`]));
    expect(ready).toBe(true);
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    expect(Number(fields[3])).toBe(pid); // the leader of a session of its own
    for (const fd of [0, 1]) expect(execFileSync('readlink', [`/proc/${pid}/fd/${fd}`], { encoding: 'utf8' })).toBe('/dev/null\n');
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGHUP');
    const before = process.cwd();
    process.chdir(folder); // the socket's name is too long from elsewhere
    try {
      expect((await status('.')).pid).toBe(pid);
      await network.send({ count: 100 });
      await until(async () => (await status('.')).interfaces[0]?.packets === 100);
      await command('.', 'stop');
      await until(() => !existsSync(`/proc/${pid}`));
    } finally {
      process.chdir(before);
    }
    expect(readFileSync(join(folder, 'capture.log'), 'utf8')).toMatch(/"packets":100/);
  });

  it('says why it can not start, and with which code', () => {
    const { code, error } = start(['--folder', join(freshFolder(), 'job'), '--interface', 'nosuch0']);
    expect(code).toBe(2);
    expect(error).toMatch(sentence('INTERFACE_NOT_FOUND'));
  });

  it('ends on SIGINT in the foreground', async () => {
    const network = new Network();
    const capture = await Capture.start(network, join(freshFolder(), 'job'), ['--interface', 'va']);
    capture.signal('SIGINT');
    expect(await capture.ended()).toBe(0);
  });
});
