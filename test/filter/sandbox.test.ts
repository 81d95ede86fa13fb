/** A libpcap that does on demand what the real one does on bad days. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FilterCompiler } from '../../src/filter/compile.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';

const SOURCE = `
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct insn { unsigned short code; unsigned char jt, jf; unsigned k; };
struct program { unsigned count; struct insn *insns; };
static char error[256];
static volatile int sink;
static int deeper(int n) { volatile char frame[4096]; frame[0] = (char)n; return deeper(n + 1) + frame[0]; }
const char *pcap_lib_version(void) { return "a test's own"; }
char *pcap_geterr(void *handle) { (void)handle; return error; }
void *pcap_fopen_offline(FILE *file, char *text) { (void)file; (void)text; return error; }
int pcap_compile(void *handle, struct program *out, const char *text, int optimise, unsigned netmask) {
  (void)handle; (void)optimise; (void)netmask;
  if (!strcmp(text, "segv")) *(volatile int *)0 = 1;
  if (!strcmp(text, "stack")) sink = deeper(0);
  if (!strcmp(text, "abort")) abort();
  if (!strcmp(text, "exit")) exit(0);
  if (!strcmp(text, "kill")) raise(SIGKILL);
  if (!strcmp(text, "spin")) for (;;) sink++;
  if (!strcmp(text, "sleep")) for (;;) pause();
  if (!strcmp(text, "memory")) {
    for (;;) {
      char *block = malloc(1 << 20);
      if (!block) { strcpy(error, "malloc: Cannot allocate memory"); return -1; }
      memset(block, 1, 1 << 20);
    }
  }
  if (!strcmp(text, "print")) { printf("noise on standard output"); fflush(stdout); write(1, "more", 4); }
  if (!strcmp(text, "error")) { memset(error, 'e', 255); return -1; }
  out->count = !strcmp(text, "long") ? 65537 : !strcmp(text, "longest") ? 65536 : 1;
  out->insns = calloc(out->count, sizeof *out->insns);
  return 0;
}
`;

describe.runIf(requireOrSkip('cc', hasProgram('cc')))('a compile that', () => {
  let folder = '';
  let compiler: FilterCompiler;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-libpcap-'));
    const library = join(folder, 'libpcap.so');
    execFileSync('cc', ['-shared', '-fPIC', '-O0', '-x', 'c', '-', '-o', library], { input: SOURCE });
    vi.stubEnv('SPILLWAY_LIBPCAP', library);
    compiler = new FilterCompiler();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await compiler.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['segv', /libpcap crashed on it \(Segmentation fault\)/],
    ['stack', /libpcap crashed on it \(Segmentation fault\)/],
    ['abort', /libpcap crashed on it \(Aborted\)/],
    ['exit', /libpcap gave up on it/],
    ['kill', /the system ended libpcap/],
    ['spin', /more than 800 ms of processor time|within 3000 ms/],
    ['sleep', /did not finish it within 3000 ms/],
    ['memory', /more than 256 MiB of memory/],
    ['long', /more than 65,536 instructions/],
  ])('ends in %s is an answer, and the next one is compiled', async (text, why) => {
    await compiler.compile('', 1);
    const { pid } = compiler;
    await expect(compiler.compile(text, 1)).rejects.toMatchObject({ code: 'FILTER_TOO_COMPLEX', message: expect.stringMatching(why) as string });
    expect((await compiler.compile(`after ${text}`, 1)).instructions).toBe(1);
    expect(compiler.pid).toBe(pid);
  });

  it('gives the longest program or the longest error is answered whole', async () => {
    expect((await compiler.compile('longest', 1)).code.length).toBe(65_536 * 8);
    await expect(compiler.compile('error', 1)).rejects.toThrow(`: ${'e'.repeat(255)}`);
  });

  it('writes on standard output does not disturb the answers', async () => {
    expect((await compiler.compile('print', 1)).instructions).toBe(1);
    expect((await compiler.compile('after print', 1)).instructions).toBe(1);
  });
});
