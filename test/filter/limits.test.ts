/** Texts that libpcap's parser and optimiser can not bear: an answer each, in time, and the compiler lives on. */
import { afterAll, describe, expect, it } from 'vitest';
import { FilterCompiler } from '../../src/filter/compile.js';
import { MAX_FILTER_BYTES } from '../../src/filter/limits.js';

const ETHERNET = 1;
const compiler = new FilterCompiler();
afterAll(() => compiler.close());

/** On a busy machine the clock may run out first. */
const OUT_OF_TIME = /800 ms of processor time|within 3000 ms/;

const ports = (count: number) => Array.from({ length: count }, (_, i) => `port ${i + 1}`).join(' or ');
const hosts = (count: number) => Array.from({ length: count }, (_, i) => `host 10.0.${i >> 8}.${i & 255}`).join(' or ');

describe('too complex', () => {
  it.each([
    ['a thousand or-ed ports', ports(1000), /256 MiB of memory/],
    ['a thousand or-ed hosts', hosts(1000), OUT_OF_TIME],
    ['deep parentheses', `${'('.repeat(30_000)}ip${')'.repeat(30_000)}`, /memory exhausted/],
    ['many negations', `${'not '.repeat(15_000)}ip`, /memory exhausted/],
    ['a long sum', `len > ${'1+'.repeat(20_000)}1`, OUT_OF_TIME],
    ['a deep sum', `len > ${'(1+'.repeat(3000)}1${')'.repeat(3000)}`, /too many registers/],
  ])('%s', async (_name, text, why) => {
    await compiler.compile('ip', ETHERNET);
    const { pid } = compiler;
    const started = performance.now();
    await expect(compiler.compile(text, ETHERNET)).rejects.toMatchObject({
      code: 'FILTER_TOO_COMPLEX',
      message: expect.stringMatching(why) as string,
    });
    expect(performance.now() - started).toBeLessThan(5000);
    // The same process answers the next one.
    expect((await compiler.compile('tcp', ETHERNET)).instructions).toBeGreaterThan(1);
    expect(compiler.pid).toBe(pid);
  });
});

it('does not take a name for a limit', async () => {
  for (const name of ['malloc', 'memory', 'toocomplex']) {
    await expect(compiler.compile(`host ${name}`, ETHERNET)).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  }
});

it('compiles what is long but bearable', async () => {
  expect((await compiler.compile('ip or '.repeat(MAX_FILTER_BYTES / 6 - 1) + 'ip', ETHERNET)).instructions).toBe(4);
  expect((await compiler.compile('ip and '.repeat(5000) + 'ip', ETHERNET)).instructions).toBe(4);
  expect((await compiler.compile(ports(60), ETHERNET)).instructions).toBeGreaterThan(60);
});
