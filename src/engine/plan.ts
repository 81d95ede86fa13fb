/** From a request to a plan: sources open and in order, filters compiled, windows sorted. Nothing is written yet. */
import { SpillwayError } from '../errors.js';
import { compileFilter } from '../filter/compile.js';
import { Filters } from './filters.js';
import { inspectOpen } from './inspect.js';
import type { Indexes } from './indexes.js';
import { LEAST_INDEXED_BYTES, MAX_SOURCES } from './limits.js';
import type { Pool } from './pool.js';
import { openSource, type OpenSource } from './source.js';
import type { ExportRequest } from './types.js';
import { flattenWindows } from './windows.js';

export interface PrepareOptions {
  /** Threads that the caller keeps from export to export, and closes; default: each run's own. */
  pool?: Pool;
  /** Where the indexes of files are; default: there are none. */
  indexes?: Indexes;
}

export interface Plan {
  request: ExportRequest;
  sources: OpenSource[];
  windowsNs: BigInt64Array;
  filters: Filters;
  /** Link types known beforehand, in order of the sources. */
  linkTypes: number[];
  bytesTotal: number;
}

export async function makePlan(request: ExportRequest, { pool, indexes }: PrepareOptions): Promise<Plan> {
  if (request.sources.length === 0) throw new SpillwayError('REQUEST_INVALID', 'a source is needed');
  if (request.sources.length > MAX_SOURCES) throw new SpillwayError('REQUEST_INVALID', `there may be ${MAX_SOURCES} sources at most`);
  const windowsNs = flattenWindows(request.windows);
  const filters = new Filters(request.filters, (text, linkType) => compileFilter(text, linkType));
  const sources: OpenSource[] = [];
  const selects = windowsNs.length > 0 || request.filters.length > 0;
  try {
    for (const source of request.sources) {
      const opened = await openSource(source);
      sources.push(opened);
      if (indexes && selects && opened.kind === 'file' && opened.sizeBytes >= LEAST_INDEXED_BYTES) opened.index = await indexes.of(opened.fd);
    }
    const linkTypes = [...new Set(sources.flatMap((s) => s.beginning?.linkType ?? []))];
    for (const linkType of linkTypes) await filters.compileFor(linkType);
    const ordered = await inTimeOrder(sources, pool);
    const bytesTotal = sources.some((s) => s.beginning === null) ? 0 : sources.reduce((sum, s) => sum + s.sizeBytes, 0);
    return { request, sources: ordered, windowsNs, filters, linkTypes, bytesTotal };
  } catch (error) {
    await closeAll(sources);
    throw error;
  }
}

export async function closeAll(sources: readonly OpenSource[]): Promise<void> {
  for (const source of sources) await source.close().catch(() => {});
}

/** Several sources go in the order of their first packets; those that overlap in time are refused. */
async function inTimeOrder(sources: OpenSource[], pool: Pool | undefined): Promise<OpenSource[]> {
  const [first] = sources;
  if (sources.length === 1 || ((first?.lane ?? null) !== null && sources.every(({ lane }) => lane === first?.lane))) return sources;
  const once = sources.find((source) => source.beginning === null);
  if (once) throw new SpillwayError('REQUEST_INVALID', `${once.name}: a source that can be read only once can not be exported together with others`);
  const timed = sources.map((source) => ({ source, first: source.beginning?.firstTimeNs ?? null }));
  // A source without a timed packet goes where it was named: in front.
  timed.sort((a, b) => (a.first === null ? (b.first === null ? 0 : -1) : b.first === null ? 1 : a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  let before: { name: string; maxTimeNs: bigint } | null = null;
  for (const { source } of timed) {
    const report = await inspectOpen(source, pool ? { pool } : {});
    if (report.minTimeNs === null || report.maxTimeNs === null) continue;
    if (before && report.minTimeNs < before.maxTimeNs)
      throw new SpillwayError('SOURCES_OVERLAP', `${before.name} and ${source.name} overlap in time: export them one by one`);
    before = { name: source.name, maxTimeNs: report.maxTimeNs };
  }
  return timed.map(({ source }) => source);
}
