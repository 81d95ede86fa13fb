/** What becomes of requests when the executable is missing, wrong, killed or closed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FilterCompiler, type CompilerSettings } from '../../src/filter/compile.js';
import { disassemble } from '../../src/filter/disassemble.js';
import { compilerEnvironment, compilerPath } from '../../src/filter/executable.js';

const ETHERNET = 1;
const PATIENTLY = { timeout: 10_000 };
let folder = '';
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'spillway-filter-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const open: FilterCompiler[] = [];
function compilerWith(settings: CompilerSettings = {}): FilterCompiler {
  const compiler = new FilterCompiler(settings);
  open.push(compiler);
  return compiler;
}
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(open.splice(0).map((compiler) => compiler.close()));
});

const slow = `len > ${'1+'.repeat(20_000)}1`; // fails, after 800 ms

function script(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return path;
}

describe('an executable that can not be used', () => {
  it.each([
    ['missing', () => join(folder, 'none'), /none can not be started \(ENOENT\): run npm start/],
    ['not executable', () => script('plain', '#!/bin/true\n', 0o644), /\(EACCES\): run npm start/],
    ['a folder', () => folder, /\(EACCES\)/],
    ['ending at once', () => script('ends', '#!/bin/false\n'), /does not work \(exit code 1\)/],
    ['speaking otherwise', () => script('talks', '#!/bin/cat\n'), /./],
  ])('%s', async (_name, path, message) => {
    const compiler = compilerWith({ path: path() });
    const results = await Promise.allSettled([compiler.compile('ip', ETHERNET), compiler.compile('tcp', ETHERNET)]);
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'SpillwayError' } });
      const { code, message: said } = (result as PromiseRejectedResult).reason as { code: string; message: string };
      expect(said).toMatch(message);
      expect(['SETUP_INCOMPLETE', 'INTERNAL']).toContain(code);
    }
  });

  it('of another version', async () => {
    await expect(compilerWith({ version: '99.0.0' }).compile('ip', ETHERNET)).rejects.toMatchObject({
      code: 'SETUP_INCOMPLETE',
      message: expect.stringContaining('spillway of 99.0.0: build it again') as string,
    });
  });

  it('without libpcap', async () => {
    vi.stubEnv('SPILLWAY_LIBPCAP', join(folder, 'libpcap.so'));
    await expect(compilerWith().compile('ip', ETHERNET)).rejects.toMatchObject({
      code: 'SETUP_INCOMPLETE',
      message: 'libpcap is not installed: apt-get install libpcap0.8',
    });
    vi.stubEnv('SPILLWAY_LIBPCAP', 'libc.so.6');
    await expect(compilerWith().compile('ip', ETHERNET)).rejects.toMatchObject({ code: 'SETUP_INCOMPLETE' });
  });

  it('is tried again by the next request', async () => {
    const compiler = compilerWith();
    vi.stubEnv('SPILLWAY_LIBPCAP', join(folder, 'libpcap.so'));
    await expect(compiler.compile('ip', ETHERNET)).rejects.toThrow('libpcap');
    vi.unstubAllEnvs();
    expect((await compiler.compile('ip', ETHERNET)).instructions).toBe(4);
  });
});

it('looks where SPILLWAY_COMPILE says, and hands on no more of the environment than the loader needs', () => {
  vi.stubEnv('SPILLWAY_COMPILE', '/opt/elsewhere');
  vi.stubEnv('LD_LIBRARY_PATH', '/opt/lib');
  vi.stubEnv('SPILLWAY_SECRET', 'x');
  expect(compilerPath()).toBe('/opt/elsewhere');
  expect(compilerEnvironment()).toEqual({ LD_LIBRARY_PATH: '/opt/lib' });
});

describe('requests', () => {
  it('at the same time each get their own answer', async () => {
    const compiler = compilerWith();
    const count = 300;
    const results = await Promise.all(
      Array.from({ length: count }, (_, i) =>
        i % 3 === 1
          ? compiler.compile(`port x${i}`, ETHERNET).catch((error: unknown) => (error as Error).message)
          : compiler.compile(`ether[${i}:2] = ${1000 + i}`, ETHERNET).then(({ code }) => disassemble(code).slice(0, 2).join(' ')),
      ),
    );
    for (let i = 0; i < count; i += 1) {
      const expected = i % 3 === 1 ? `unknown port 'x${i}'` : `ldh      [${i}] (001) jeq      #0x${(1000 + i).toString(16)} `;
      expect(results[i]).toContain(expected);
    }
  });

  it('that are repeated are answered from memory', async () => {
    const compiler = compilerWith();
    const first = await compiler.compile('udp', ETHERNET);
    process.kill(compiler.pid ?? 0, 'SIGSTOP'); // whoever asks it now waits
    expect(await compiler.compile('udp', ETHERNET)).toEqual(first);
    const other = compiler.compile('udp', 101);
    expect(await Promise.race([other, sleep(100, 'waits')])).toBe('waits');
    process.kill(compiler.pid ?? 0, 'SIGCONT');
    expect(await other).not.toEqual(first);
  });

  it('survive the end of the process in the middle of their work', async () => {
    const compiler = compilerWith();
    await compiler.compile('ip', ETHERNET);
    const killed = compiler.pid ?? 0;
    const results = Promise.allSettled([compiler.compile(slow, ETHERNET), compiler.compile('arp', ETHERNET)]);
    await sleep(100);
    process.kill(killed, 'SIGKILL');
    const [first, second] = await results;
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'FILTER_TOO_COMPLEX' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: { instructions: 4 } });
    expect(compiler.pid).not.toBe(killed);
  });

  it('are given up when every process ends under them', async () => {
    const compiler = compilerWith();
    await compiler.compile('ip', ETHERNET);
    const result = compiler.compile(slow, ETHERNET).catch((error: unknown) => error);
    let before: number | undefined;
    for (let round = 0; round < 2; round += 1) {
      await vi.waitUntil(() => compiler.pid !== undefined && compiler.pid !== before, PATIENTLY);
      before = compiler.pid;
      await sleep(200);
      process.kill(before ?? 0, 'SIGKILL');
    }
    expect(await result).toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('SIGKILL') as string });
    expect((await compiler.compile('arp', ETHERNET)).instructions).toBe(4);
  });
});

describe('the process', () => {
  it('is closed after its last answer, and nothing is taken afterwards', async () => {
    const compiler = compilerWith();
    const last = compiler.compile('icmp', ETHERNET);
    const pid = await vi.waitUntil(() => compiler.pid, PATIENTLY);
    await compiler.close();
    expect((await last).instructions).toBeGreaterThan(1);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(compiler.compile('tcp', ETHERNET)).rejects.toMatchObject({ code: 'INTERNAL' });
    await compiler.close();
  });

  it('ends when it was idle, and comes again', async () => {
    const compiler = compilerWith({ idleCloseMs: 50 });
    await compiler.compile('ip', ETHERNET);
    const pid = compiler.pid ?? 0;
    await vi.waitUntil(() => compiler.pid === undefined, PATIENTLY);
    await vi.waitUntil(() => {
      try {
        return process.kill(pid, 0) && false;
      } catch {
        return true;
      }
    }, PATIENTLY);
    expect((await compiler.compile('tcp', ETHERNET)).instructions).toBeGreaterThan(1);
  });

  it('does not keep a program alive', () => {
    const module = fileURLToPath(new URL('../../src/filter/compile.ts', import.meta.url));
    const text = `const { compileFilter } = await import(${JSON.stringify(module)}); console.log((await compileFilter('ip', 1)).instructions);`;
    const said = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], { encoding: 'utf8', timeout: 20_000 });
    expect(said).toBe('4\n');
  });
});
