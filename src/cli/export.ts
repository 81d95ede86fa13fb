/** `spillway export`, and what is an export by another name: from sources to a file, a pipe or standard output. */
import type { CapturedName } from '../capture/captured-sources.js';
import type { PreparedExport } from '../engine/export.js';
import type { Pool } from '../engine/pool.js';
import type { ExportRequest, FileSource, Progress, Receipt, Sink, Source } from '../engine/types.js';
import { shareOut } from '../engine/answered-by.js';
import { withContext } from '../engine/windows.js';
import { SpillwayError } from '../errors.js';
import { NS_PER_MS } from '../units.js';
import { Captured } from './captured.js';
import { dryRun } from './dry-run.js';
import { EXPORT, exportArguments, type ExportArguments } from './export-arguments.js';
import { EXIT_DAMAGED, fail, note } from './fail.js';
import { parseCommand, type CommandSpec } from './flags.js';
import { helpText } from './help.js';
import { interruptionOf, unlessInterrupted } from './interrupt.js';
import type { Io } from './io.js';
import { checkOutput, openSink, type Output } from './output.js';
import { createProgressBar, type ProgressBar } from './progress.js';
import { damageSentence, receiptJson, summary } from './receipt.js';
import { capturedName, sourceNamed } from './sources.js';
import { startThreads } from './threads.js';
import { hasRelativeTime, timeWindows, windowOf } from './windows.js';

export const exportCommand = (args: readonly string[], io: Io): Promise<number> => exportBy(EXPORT, args, io);

/** Runs an export whose command line has the table `spec`: its flags are some of those of `export`. */
export async function exportBy(spec: CommandSpec, args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(spec, args);
  if (parsed.help) {
    io.stdout.write(helpText(spec));
    return 0;
  }
  const given = exportArguments(parsed);
  const output = given.isDryRun ? null : await checkOutput(given.output, io);
  const named = await namedBy(given.sources, io);
  const bar = createProgressBar(io);
  const asked = io.interrupt();
  const captured = new Captured(parsed, given, named, io);
  const signal = captured.interruptedBy(asked);
  try {
    const begun = performance.now();
    const pool = await startThreads(named);
    const request = await unlessInterrupted(signal, requestOf(given, named, captured, signal, bar, pool), { tidies: true });
    const prepared = await unlessInterrupted(signal, prepare(request, pool));
    if (!output) {
      bar?.clear();
      return await dryRun(prepared, given.json, io);
    }
    const receipt = await run(prepared, output, signal, bar);
    bar?.clear();
    const seconds = (performance.now() - begun) / 1000;
    return conclude(receipt, given, output, io, summary(receipt, output.name, prepared.bytesTotal, seconds));
  } catch (error) {
    bar?.clear();
    return fail(error, io, signal);
  } finally {
    await captured.close();
  }
}

export function namedBy(sources: readonly string[], io: Io): Promise<Named[]> {
  return Promise.all(sources.map(async (name) => capturedName(name) ?? (await sourceNamed(name, io))));
}

export type Named = FileSource | CapturedName;

/** Opens what is captured; times relative to the last packet need a walk over files beforehand. */
export async function requestOf(
  given: ExportArguments,
  named: Named[],
  captured: Captured,
  signal: AbortSignal,
  bar: ProgressBar | null,
  pool: Pool | undefined,
): Promise<ExportRequest> {
  const { outer, intervals, contextNs, filters, snapLengthBytes, limits, format } = given;
  const files = named.filter((each): each is FileSource => !('kind' in each));
  const isCaptured = files.length < named.length;
  const nowNs = BigInt(Date.now()) * NS_PER_MS;
  const lastNs = isCaptured || !hasRelativeTime([outer, ...intervals]) ? nowNs : await lastTime(files, signal, bar, pool);
  const asked = timeWindows(outer, intervals, lastNs);
  const windows = given.isFollowed && asked.length === 0 ? [{ startNs: nowNs, endNs: null }] : asked;
  const sources: Source[] = [];
  const range = withContext(windowOf(outer, lastNs), contextNs);
  const twice = shareOut(filters).dissected.length > 0 ? range : null;
  for (const each of named) sources.push(...('kind' in each ? await captured.open(each, windows, twice) : [each]));
  const seen = captured.seen ?? range;
  return { sources, filters: [...filters, ...captured.filters], windows: [...(captured.windows ?? windows)], seen, snapLengthBytes, limits, format };
}

/** What relative times count from in files: the largest time, 0 where no packet has one. (In what is captured they count from now.) */
async function lastTime(files: readonly FileSource[], signal: AbortSignal, bar: ProgressBar | null, pool: Pool | undefined): Promise<bigint> {
  if (files.some((source) => 'fd' in source))
    throw new SpillwayError('TIME_INVALID', 'a relative time counts from the last packet, which is not known beforehand on standard input');
  const { inspect } = await import('../engine/inspect.js');
  let lastNs: bigint | null = null;
  for (const source of files) {
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
