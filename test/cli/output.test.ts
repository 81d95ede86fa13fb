/** Where the program writes: files by rename, pipes, devices, and what is left when that fails. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { ended, expectSentence, run, seconds, SPILLWAY, spillway, start } from './support.js';

const folder = temporaryFolder();
const small = folder.write('small.pcap', seconds(10));
/** More than any pipe holds. */
const large = folder.write('large.pcap', seconds(100_000));
let to: string;
let count = 0;
beforeEach(() => {
  to = join(folder.path, `to-${++count}`);
  mkdirSync(to);
});

describe('a file', () => {
  it('is replaced by another file, not written over', async () => {
    const out = join(to, 'out');
    writeFileSync(out, 'before');
    const { ino } = statSync(out);
    expect((await spillway(['export', small, '-o', out])).exit).toBe(0);
    expect(readFileSync(out)).toEqual(seconds(10));
    expect(statSync(out).ino).not.toBe(ino);
    expect(readdirSync(to)).toEqual(['out']);
  });

  it('may be the source itself', async () => {
    const both = join(to, 'both');
    writeFileSync(both, seconds(50_000));
    expect(await spillway(['export', both, '-o', both, '--from', '-10s'])).toMatchObject({ exit: 0, stderr: '' });
    expect(readCapture(readFileSync(both)).packets).toHaveLength(11);
  });

  it('behind a link is replaced, and the link stays', async () => {
    writeFileSync(join(to, 'real'), 'before');
    symlinkSync('real', join(to, 'link'));
    expect((await spillway(['export', small, '-o', join(to, 'link')])).exit).toBe(0);
    expect(lstatSync(join(to, 'link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(to, 'real'))).toEqual(seconds(10));
  });

  it('stays as it was when the export fails', async () => {
    const out = join(to, 'out');
    writeFileSync(out, 'before');
    const mixed = folder.write('raw.pcap', Buffer.concat([seconds(1, { linkType: 101 }), seconds(30).subarray(24 + 76)]));
    for (const args of [
      [small, '-f', 'tcp prt'],
      [small, mixed],
    ]) {
      const { exit } = await spillway(['export', ...args, '-o', out]);
      expect(exit).toBeGreaterThan(0);
      expect(readFileSync(out, 'utf8')).toBe('before');
    }
    expect(readdirSync(to)).toEqual(['out']);
  });
});

describe('an output that can not be', () => {
  const place = (name: string): string => join(to, name);
  it.each([
    ['in a missing folder', () => place('none/out'), 1, 'OUTPUT_INVALID'],
    ['in a file', () => join(small, 'out'), 1, 'OUTPUT_INVALID'],
    ['a folder', () => to, 1, 'OUTPUT_INVALID'],
    ['a folder by its name', () => place('none/'), 1, 'OUTPUT_INVALID'],
    ['a link that leads nowhere', () => (symlinkSync('nothing', place('link')), place('link')), 1, 'OUTPUT_INVALID'],
    ['a name that is too long', () => place('x'.repeat(300)), 2, 'OUTPUT_FAILED'],
    ['a full disk', () => '/dev/full', 2, 'OUTPUT_FAILED'],
    ['a place that takes no files', () => '/proc/out', 2, 'OUTPUT_FAILED'],
  ])('%s', async (_, out, exit, code) => {
    const path = out();
    const before = readdirSync(to);
    const ended = await spillway(['export', small, '-o', path]);
    expect({ exit: ended.exit, stdout: ended.stdout.length }).toEqual({ exit, stdout: 0 });
    expectSentence(ended.stderr, code);
    expect(ended.tookMs).toBeLessThan(1000 + START_MS);
    expect(readdirSync(to)).toEqual(before);
    expect(existsSync('/dev/full')).toBe(true);
  });
});

/** What a busy machine may take to start a process. */
const START_MS = 3000;

describe('standard output', () => {
  it('holds the capture and nothing else', async () => {
    for (const args of [[], ['-o', '-'], ['-o', '/dev/stdout']]) {
      const { exit, stdout, stderr } = await spillway(['export', large, ...args]);
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
      expect(stdout.equals(readFileSync(large)), 'the same bytes').toBe(true);
    }
  });

  it('on a full disk is a coded failure', () => {
    for (const args of ['export', 'info'].map((command) => [command, large])) {
      // The redirection is the shell's; the arguments are its positional parameters.
      const script = '"$0" "$@" >/dev/full; echo $?';
      const out = execFileSync('/bin/sh', ['-c', `exec 2>&1; ${script}`, SPILLWAY, ...args], { encoding: 'utf8' });
      expect(out).toMatch(/^spillway: [^\n]*ENOSPC \[OUTPUT_FAILED\]\n2\n$/);
    }
  });

  it('whose reader leaves ends the program quietly', async () => {
    const child = start(['export', large]);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const { exit, stderr } = await ended(child);
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: '' });
  });
});

it.each(['standard output', 'a named pipe'])('%s holds a megabyte for its reader', async (which) => {
  const fifo = join(to, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  // Opened apart: what a child is given is made to block, for all who share it.
  const writeEnd = openSync(fifo, constants.O_WRONLY);
  const child = which === 'a named pipe' ? start(['export', large, '-o', fifo]) : start(['export', large], ['ignore', writeEnd, 'pipe']);
  const end = ended(child);
  const bytes = Buffer.alloc(4 << 20);
  const taken = (): number => {
    try {
      return readSync(fd, bytes);
    } catch {
      return 0;
    }
  };
  // What one read gives, once the writer waits for room, is what the pipe holds.
  await expect.poll(async () => (await sleep(100), taken()), { timeout: 20_000 }).toBeGreaterThan(900_000);
  child.kill('SIGKILL');
  await end;
  closeSync(fd);
  closeSync(writeEnd);
});

it('a named pipe is written directly and stays a pipe', async () => {
  const fifo = join(to, 'fifo');
  execFileSync('mkfifo', [fifo]);
  // Opened first and without blocking: a program that never comes must not hold the test.
  const reader = new Socket({ fd: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
  const [{ exit }, bytes] = await Promise.all([spillway(['export', large, '-o', fifo]), buffer(reader)]);
  expect(exit).toBe(0);
  expect(bytes.equals(readFileSync(large))).toBe(true);
  expect(lstatSync(fifo).isFIFO()).toBe(true);
});

it('standard input is read to its end, or as far as is needed', async () => {
  const bytes = readFileSync(large);
  expect((await spillway(['export', '-'], bytes)).stdout.equals(bytes)).toBe(true);
  const few = await spillway(['export', '-', '-c', '5'], bytes);
  expect({ exit: few.exit, stderr: few.stderr }).toEqual({ exit: 0, stderr: '' });
  expect(few.stdout).toEqual(seconds(5));
});

it('a descriptor is not left open by an export that fails in this process', async () => {
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  for (let i = 0; i < 5; i++) {
    await run(['export', small, '-o', '/dev/full']);
    await run(['export', small, '-f', 'tcp prt', '-o', join(to, 'x')]);
  }
  expect(open()).toBeLessThanOrEqual(before + 3);
});
