/** From a request to a plan: sources open and in order, filters compiled, windows sorted. Nothing is written yet. */
import { SpillwayError } from '../errors.js';
import { compileFilter } from '../filter/compile.js';
import { Filters } from './filters.js';
import type { Indexes } from './indexes.js';
import { lineUp } from './in-line.js';
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
  /** In the order in which their turns come. */
  sources: OpenSource[];
  windowsNs: BigInt64Array;
  filters: Filters;
  /** Link types known beforehand, in order of the sources. */
  linkTypes: number[];
  bytesTotal: number;
}

export async function makePlan(request: ExportRequest, { indexes }: PrepareOptions): Promise<Plan> {
  if (request.sources.length === 0) throw new SpillwayError('REQUEST_INVALID', 'a source is needed');
  if (request.sources.length > MAX_SOURCES) throw new SpillwayError('REQUEST_INVALID', `there may be ${MAX_SOURCES} sources at most`);
  const windowsNs = flattenWindows(request.windows);
  const filters = new Filters(request.filters, (text, linkType) => compileFilter(text, linkType));
  const sources: OpenSource[] = [];
  const selects = windowsNs.length > 0 || request.filters.length > 0;
  try {
    for (const [rank, source] of request.sources.entries()) {
      const opened = await openSource(source);
      opened.rank = rank;
      sources.push(opened);
      if (indexes && selects && opened.kind === 'file' && opened.sizeBytes >= LEAST_INDEXED_BYTES) opened.index = await indexes.of(opened.fd);
    }
    const linkTypes = [...new Set(sources.flatMap((s) => s.beginning?.linkType ?? []))];
    for (const linkType of linkTypes) await filters.compileFor(linkType);
    checkOnce(sources);
    const bytesTotal = sources.some((s) => s.beginning === null) ? 0 : sources.reduce((sum, s) => sum + s.sizeBytes, 0);
    return { request, sources: lineUp(sources).flatMap(({ source, then }) => [source, ...then]), windowsNs, filters, linkTypes, bytesTotal };
  } catch (error) {
    await closeAll(sources);
    throw error;
  }
}

export async function closeAll(sources: readonly OpenSource[]): Promise<void> {
  for (const source of sources) await source.close().catch(() => {});
}

/** What can be read only once can not wait for others. */
function checkOnce(sources: readonly OpenSource[]): void {
  const once = sources.find((source) => source.beginning === null);
  if (once && sources.length > 1)
    throw new SpillwayError('REQUEST_INVALID', `${once.name}: a source that can be read only once can not be exported together with others`);
}
