/** Facts of a probe that is nothing but a folder, and what collectors make of them. */
import type { Collector, Verbosity } from '../../src/bundle/collector.js';
import { collectorsOf } from '../../src/bundle/collectors.js';
import type { ProbeFacts } from '../../src/bundle/facts.js';
import { Places } from '../../src/bundle/places.js';
import { Clips } from '../../src/buffer/clips.js';
import { Jobs, KEEP_ALL, type Job } from '../../src/buffer/jobs.js';
import { parseJson } from '../../src/export/json.js';
import { CaptureSettings } from '../../src/capture/settings.js';
import { Vifgs } from '../../src/capture/vifgs.js';
import { join } from 'node:path';
import { payload } from '../support/build.js';
import { FakeBuffer } from '../support/buffer.js';

export function factsOf(dataFolder: string, given: Partial<ProbeFacts> = {}): ProbeFacts {
  const jobs = new Jobs(dataFolder);
  return {
    version: '0.0.0',
    serial: 'SERIAL',
    dataFolder,
    jobs,
    clips: new Clips(jobs),
    vifgs: new Vifgs(new CaptureSettings(dataFolder)),
    users: () => [],
    audit: () => [],
    exports: () => [],
    ...given,
  };
}

/** A job with one interface, and sealed segments 1, 2, … with a packet at each of these times. */
export async function jobWith(jobs: Jobs, name: string, times: readonly bigint[], bytes = 60): Promise<{ job: Job; buffer: FakeBuffer }> {
  const job = await jobs.put(name, { ...KEEP_ALL, interfaces: ['va'] });
  const buffer = new FakeBuffer(join(job.folder, '0-va'));
  for (const ticks of times) {
    buffer.store([{ ticks, data: payload(bytes) }]);
    buffer.seal();
  }
  return { job, buffer };
}

export interface Collected {
  value: unknown;
  text: string;
}

/** Runs one collector to its end. */
export async function run(
  collector: Collector,
  verbosity: Verbosity = 'base',
  signal: AbortSignal = new AbortController().signal,
): Promise<Collected> {
  const given = collector.collect({ verbosity, signal });
  if (!(Symbol.asyncIterator in given)) {
    const value = await given;
    return { value, text: JSON.stringify(value) };
  }
  let text = '';
  for await (const piece of given) text += piece;
  return { value: collector.file.endsWith('.jsonl') ? linesIn(text) : text, text };
}

/** Every line is JSON by itself. */
export function linesIn(text: string): Record<string, unknown>[] {
  return text.split('\n').filter(Boolean).map((line) => parseJson(line) as Record<string, unknown>); // prettier-ignore
}

export function named(collectors: readonly Collector[], name: string): Collector {
  const found = collectors.find((each) => each.name === name);
  if (!found) throw new Error(`no collector ${name}`);
  return found;
}

export async function collected<T = Record<string, unknown>[]>(
  facts: ProbeFacts,
  name: string,
  { verbosity = 'base', root = '/' }: { verbosity?: Verbosity; root?: string } = {},
): Promise<T> {
  return (await run(named(collectorsOf(facts, new Places(root)), name), verbosity)).value as T;
}
