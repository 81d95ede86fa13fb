/** `spillway export`: from sources to a file, a pipe or standard output. */
import type { PreparedExport } from '../engine/export.js';
import type { Pool } from '../engine/pool.js';
import type { ExportRequest, Progress, Receipt, Sink, Source } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { EXPORT, exportArguments, type ExportArguments } from './export-arguments.js';
import { EXIT_DAMAGED, fail, note } from './fail.js';
import { parseCommand } from './flags.js';
import { helpText } from './help.js';
import { interruptionOf, unlessInterrupted } from './interrupt.js';
import type { Io } from './io.js';
import { checkOutput, openSink, type Output } from './output.js';
import { createProgressBar, type ProgressBar } from './progress.js';
import { damageSentence, receiptJson, summary } from './receipt.js';
import { sourceNamed } from './sources.js';
import { startThreads } from './threads.js';
import { hasRelativeTime, timeWindows } from './windows.js';

export async function exportCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(EXPORT, args);
  if (parsed.help) {
    io.stdout.write(helpText(EXPORT));
    return 0;
  }
  const given = exportArguments(parsed);
  const output = await checkOutput(given.output, io);
  const sources = await Promise.all(given.sources.map((name) => sourceNamed(name, io)));
  const bar = createProgressBar(io);
  const signal = io.interrupt();
  try {
    const begun = performance.now();
    const pool = await startThreads(sources);
    const request = await unlessInterrupted(signal, requestOf(given, sources, signal, bar, pool), { tidies: true });
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
  sources: Source[],
  signal: AbortSignal,
  bar: ProgressBar | null,
  pool: Pool | undefined,
): Promise<ExportRequest> {
  const { outer, intervals, filters, snapLengthBytes, limits, format } = given;
  const lastNs = hasRelativeTime([outer, ...intervals]) ? await lastTime(sources, signal, bar, pool) : 0n;
  return { sources, filters, windows: timeWindows(outer, intervals, lastNs), snapLengthBytes, limits, format };
}

/** The largest time in the sources; 0 where no packet has one, and so no time says anything. */
async function lastTime(sources: readonly Source[], signal: AbortSignal, bar: ProgressBar | null, pool: Pool | undefined): Promise<bigint> {
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
