/** The self-test of the buffer: it finds what is broken, and nothing where nothing is. */
import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { selfTest } from '../../src/bundle/collectors/self-test.js';
import { segmentHolds } from '../../src/bundle/collectors/segment-check.js';
import { payload } from '../support/build.js';
import { type FakeBuffer, segmentName } from '../support/buffer.js';
import { temporaryFolder } from '../support/temporary.js';
import { collected, factsOf, jobWith, run } from './facts.js';
import type { ProbeFacts } from '../../src/bundle/facts.js';
import type { Verbosity } from '../../src/bundle/collector.js';

const folder = temporaryFolder();
let made = 0;
const SECOND = 1_000_000_000n;

/** A job with three sealed segments of a few blocks of 64 KiB. */
async function probe(): Promise<{ facts: ProbeFacts; buffer: FakeBuffer }> {
  const facts = factsOf(join(folder.path, String(made++)));
  const { buffer } = await jobWith(facts.jobs, 'uplink', []);
  for (let n = 0n; n < 3n; n++) {
    buffer.store(Array.from({ length: 400 }, (_, i) => ({ ticks: (n + 1n) * SECOND + BigInt(i), data: payload(1000) })));
    buffer.seal();
  }
  return { facts, buffer };
}

const failures = async (facts: ProbeFacts, verbosity: Verbosity = 'base'): Promise<string[]> =>
  (await collected(facts, 'self-test', { verbosity }))
    .filter(({ result }) => result !== 'ok')
    .map((each) => `${String(each['segment'] ?? each['interface'] ?? each['job'])} ${String(each['check'])}: ${String(each['about'])}`);

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

it('finds a whole buffer to be whole', async () => {
  const { facts } = await probe();
  const told = await collected(facts, 'self-test');
  expect(told.map(({ check, segment = null, result }) => [check, segment, result])).toEqual([
    ['space', null, 'ok'],
    ['marks', null, 'ok'],
    ['segment', segmentName(3n).slice(0, 16), 'ok'],
    ['segment', segmentName(1n).slice(0, 16), 'ok'],
  ]);
  expect(told[2]).toMatchObject({ job: 'uplink', interface: 'va', about: expect.stringMatching(/^2 of [3-9] blocks/) as string });
  expect((await collected(facts, 'self-test', { verbosity: 'verbose' }))[2]!['about']).toMatch(/^(\d+) of \1 blocks/);
});

it.each<[what: string, break_: (buffer: FakeBuffer) => void, base: RegExp[], verbose?: RegExp[]]>([
  ['a byte in the middle', (b) => flip(b.path('pcapng', 3n), 200_000), [], [/^0{15}3 segment: the block at byte \d+ with \d+ packets does not have/]],
  ['a byte at the end', (b) => flip(b.path('pcapng', 3n), statSync(b.path('pcapng', 3n)).size - 10), [/^0{15}3 segment: the block at byte/]],
  ['a byte at the start', (b) => flip(b.path('pcapng', 1n), 30), [/^0{15}1 segment: the block at byte 0 /]],
  ['an index', (b) => flip(b.path('index', 3n), 60), [/^0{15}3 segment: its index can not be used/]],
  ['an index that is empty', (b) => truncateSync(b.path('index', 3n)), [/^0{15}3 segment: its index can not be used/]],
  ['no index', (b) => rmSync(b.path('index', 1n)), [/^0{15}1 segment: its index is missing/]],
  ['the index of another segment', (b) => copyFileSync(b.path('index', 2n), b.path('index', 3n)), [/^0{15}3 segment: its index can not be used/]],
  ['a segment that was cut', (b) => truncateSync(b.path('pcapng', 3n), 1000), [/^0{15}3 segment: it has 1000 bytes, and its index knows \d+/]],
  ['marks', (b) => writeFileSync(join(b.folder, 'marks'), Buffer.alloc(4096)), [/^va marks: there are segments, and no marks/]],
])('finds %s', async (_, break_, base, verbose = base) => {
  const { facts, buffer } = await probe();
  break_(buffer);
  expect(await failures(facts)).toEqual(base.map((each) => expect.stringMatching(each) as string));
  expect(await failures(facts, 'verbose')).toEqual(verbose.map((each) => expect.stringMatching(each) as string));
});

it('takes what retention has let go of for no failure', async () => {
  const { buffer } = await probe();
  const options = { isWhole: true, untilMs: Infinity, signal: new AbortController().signal };
  expect(await segmentHolds(buffer.folder, { id: 9n, stem: segmentName(9n).slice(0, 16), sealed: true }, options)).toEqual({
    ok: 'it is gone meanwhile',
  });
});

it.each([
  ['base', 0, [], 'the time ended before 1 of 1 jobs'],
  ['verbose', 0, [], 'the time ended before 1 of 1 jobs'],
  ['base', 10_000, ['space', 'marks', 'segment', 'segment'], null],
] as const)('ends in time, and says what it left out (%s, %i ms)', async (verbosity, ms, done, left) => {
  const { facts } = await probe();
  const told = (await run(selfTest(facts, { base: ms, verbose: ms }), verbosity)).value as Record<string, unknown>[];
  expect(told.filter(({ result }) => result === 'ok').map(({ check }) => check)).toEqual(done);
  expect(told.filter(({ result }) => result === 'skipped').map(({ about }) => about)).toEqual(left === null ? [] : [left]);
});

it('shares its time between segments', async () => {
  const { buffer } = await probe();
  const options = { isWhole: true, untilMs: performance.now(), signal: new AbortController().signal };
  const finding = await segmentHolds(buffer.folder, { id: 3n, stem: segmentName(3n).slice(0, 16), sealed: true }, options);
  expect(finding).toEqual({ ok: expect.stringMatching(/^1 of [3-9] blocks/) as string });
});
