/** `spillway export`, and what is an export by another name: from sources to a file, a pipe or standard output. */
import type { Job } from '../buffer/jobs.js';
import type { PreparedExport } from '../engine/export.js';
import type { Pool } from '../engine/pool.js';
import type { ExportRequest, Progress, Receipt, Sink, Source } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { EXPORT, exportArguments, type ExportArguments } from './export-arguments.js';
import { EXIT_DAMAGED, fail, note } from './fail.js';
import { dataFolder } from './data-flag.js';
import { parseCommand, type CommandSpec, type Parsed } from './flags.js';
import { helpText } from './help.js';
import { interruptionOf, unlessInterrupted } from './interrupt.js';
import type { Io } from './io.js';
import { checkOutput, openSink, type Output } from './output.js';
import { createProgressBar, type ProgressBar } from './progress.js';
import { damageSentence, receiptJson, summary } from './receipt.js';
import { sourceNamed } from './sources.js';
import { startThreads } from './threads.js';
import { hasRelativeTime, timeWindows } from './windows.js';

export const exportCommand = (args: readonly string[], io: Io): Promise<number> => exportBy(EXPORT, args, io);

/** Runs an export whose command line has the table `spec`: its flags are some of those of `export`. */
export async function exportBy(spec: CommandSpec, args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(spec, args);
  if (parsed.help) {
    io.stdout.write(helpText(spec));
    return 0;
  }
  const given = exportArguments(parsed);
  const output = await checkOutput(given.output, io);
  const named = await Promise.all(given.sources.map((name) => namedSource(name, parsed, io)));
  const bar = createProgressBar(io);
  const signal = io.interrupt();
  try {
    const begun = performance.now();
    const pool = await startThreads(named);
    const request = await unlessInterrupted(signal, requestOf(given, named, signal, bar, pool), { tidies: true });
    const prepared = await unlessInterrupted(signal, prepare(request, pool));
    const receipt = await run(prepared, output, signal, bar);
    bar?.clear();
    const seconds = (performance.now() - begun) / 1000;
    return conclude(receipt, given, output, io, summary(receipt, output.name, prepared.bytesTotal, seconds));
  } catch (error) {
    bar?.clear();
    return fail(error, io, signal);
  }
}

/** Times relative to the last packet need a walk over the sources beforehand. */
async function requestOf(
  given: ExportArguments,
  named: Named[],
  signal: AbortSignal,
  bar: ProgressBar | null,
  pool: Pool | undefined,
): Promise<ExportRequest> {
  const { outer, intervals, filters, snapLengthBytes, limits, format } = given;
  const lastNs = hasRelativeTime([outer, ...intervals]) ? await lastTime(named, signal, bar, pool) : 0n;
  const windows = timeWindows(outer, intervals, lastNs);
  const sources = await Promise.all(named.map(async (each) => ('job' in each ? segmentsOf(each.job, windows) : [each])));
  return { sources: sources.flat(), filters, windows, snapLengthBytes, limits, format };
}

/** A file or a stream, or a job, whose segments are known once the windows are. */
type Named = Source | { job: Job };

async function namedSource(name: string, parsed: Parsed, io: Io): Promise<Named> {
  if (!name.startsWith('jobs/')) return sourceNamed(name, io);
  const { Jobs } = await import('../buffer/jobs.js');
  return { job: await new Jobs(dataFolder(parsed, io)).get(name.slice('jobs/'.length)) };
}

async function segmentsOf(job: Job, windows: ExportRequest['windows']): Promise<Source[]> {
  const { jobSources } = await import('../buffer/jobs.js');
  return jobSources(job, windows);
}

/** What relative times count from: now, for jobs; else the largest time in the sources, 0 where no packet has one. */
async function lastTime(named: readonly Named[], signal: AbortSignal, bar: ProgressBar | null, pool: Pool | undefined): Promise<bigint> {
  if (named.some((each) => 'job' in each)) return BigInt(Date.now()) * 1_000_000n;
  const sources = named.filter((each): each is Source => !('job' in each));
  if (sources.some((source) => 'fd' in source)) {
    throw new SpillwayError('TIME_INVALID', 'a relative time counts from the last packet, which is not known beforehand on standard input');
  }
  const { inspect } = await import('../engine/inspect.js');
  let lastNs: bigint | null = null;
  for (const source of sources) {
    const { maxTimeNs } = await inspect(source, { signal, onProgress: (progress) => bar?.show(progress), ...(pool && { pool }) });
    if (maxTimeNs !== null && (lastNs === null || maxTimeNs > lastNs)) lastNs = maxTimeNs;
  }
  return lastNs ?? 0n;
}

async function prepare(request: ExportRequest, pool: Pool | undefined): Promise<PreparedExport> {
  const { prepareExport } = await import('../engine/export.js');
  return prepareExport(request, pool && { pool });
}

async function run(prepared: PreparedExport, output: Output, signal: AbortSignal, bar: ProgressBar | null): Promise<Receipt> {
  let sink: Sink | undefined;
  try {
    sink = await unlessInterrupted(signal, openSink(output));
    const options = { signal, ...(bar && { onProgress: (progress: Progress) => bar.show(progress) }) };
    return await unlessInterrupted(signal, prepared.run(sink, options), { tidies: true });
  } finally {
    if (!signal.aborted) await prepared.close();
    // A run that was given up has not come to this; descriptors go with the process.
    else if (interruptionOf(signal)?.workLeft === true) await sink?.abort();
  }
}

function conclude(receipt: Receipt, given: ExportArguments, output: Output, io: Io, forPeople: string): number {
  const toStdout = output.kind === 'stdout';
  if (!given.json) for (const warning of receipt.warnings) note(io, `warning: ${warning}`);
  for (const damage of receipt.damage) note(io, damageSentence(damage));
  if (given.json) (toStdout ? io.stderr : io.stdout).write(`${receiptJson(receipt)}\n`);
  else if (io.stderr.isTerminal) io.stderr.write(`${forPeople}\n`);
  return receipt.damage.length > 0 ? EXIT_DAMAGED : 0;
}
