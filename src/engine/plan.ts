/** From a request to a plan: sources open, filters compiled, windows sorted. Nothing is written yet. */
import type { DissectLimits } from '../dissect/limits.js';
import { SpillwayError } from '../errors.js';
import { compileText, type FilterText } from '../filter/languages.js';
import { shareOut } from './answered-by.js';
import { expectedLinkTypes, Filters } from './filters.js';
import { inTurn, type Planned } from './in-line.js';
import type { Indexes } from './indexes.js';
import { LEAST_INDEXED_BYTES, MAX_SOURCES } from './limits.js';
import type { Pool } from './pool.js';
import { openSource } from './source.js';
import type { ExportRequest, Source } from './types.js';
import { flattenWindows } from './windows.js';

export interface PrepareOptions {
  /** Threads that the caller keeps from export to export, and closes; default: each run's own. */
  pool?: Pool;
  /** Where the indexes of files are; default: there are none. */
  indexes?: Indexes;
  /** What tshark may take, where it answers a filter; default: as src/dissect/limits.ts says. */
  dissect?: Partial<DissectLimits>;
}

export interface Plan {
  request: ExportRequest;
  /** In the order in which their turns come. */
  sources: Planned[];
  windowsNs: BigInt64Array;
  filters: Filters;
  /** Display filters, which tshark answers, and the range that it sees: a pair of times, or none for every packet. */
  dissected: string[];
  /** All filters as programs, where those of tshark have some: they answer where every packet is certain (proof.ts). */
  translated: Filters | null;
  seenNs: BigInt64Array;
  /** Link types known beforehand, in order of the sources. */
  linkTypes: number[];
  /** 0 where it is not known. */
  bytesTotal: number;
}

/** Takes over the lanes of the request: they are closed with the plan, or where it fails. */
export async function makePlan(request: ExportRequest, { indexes }: PrepareOptions): Promise<Plan> {
  const sources: Planned[] = [];
  try {
    if (request.sources.length === 0) throw new SpillwayError('REQUEST_INVALID', 'a source is needed');
    if (request.sources.length > MAX_SOURCES) throw new SpillwayError('REQUEST_INVALID', `there may be ${MAX_SOURCES} sources at most`);
    const windowsNs = flattenWindows(request.windows);
    const { native, dissected } = shareOut(request.filters);
    const filters = new Filters(native, compileText, request.comments?.interface);
    const seenNs = flattenWindows(request.seen ? [request.seen] : []);
    const selects = windowsNs.length > 0 || request.filters.length > 0;
    for (const [rank, source] of request.sources.entries()) sources.push(await planned(source, rank, selects ? indexes : undefined));
    const linkTypes = [...new Set(sources.flatMap(({ beginning }) => beginning?.linkType ?? []))];
    // A filter that is wrong is refused now, also where nothing is there yet that it could be asked of.
    for (const linkType of expectedLinkTypes(linkTypes)) await filters.compileFor(linkType);
    checkOnce(sources);
    const translated = dissected.length > 0 ? await checkDisplay(sources, native, dissected, linkTypes, request) : null;
    return {
      request,
      sources: inTurn(sources),
      windowsNs,
      filters,
      dissected,
      translated,
      seenNs,
      linkTypes,
      bytesTotal: sumOf(sources.map(bytesOf)),
    };
  } catch (error) {
    await closeAll(sources);
    await closeLanes(request.sources);
    throw error;
  }
}

async function planned(source: Source, rank: number, indexes: Indexes | undefined): Promise<Planned> {
  if ('lane' in source) return { ...source, rank, source: null, beginning: await source.lane.look() };
  const opened = await openSource(source);
  if (indexes && opened.kind === 'file' && opened.sizeBytes >= LEAST_INDEXED_BYTES) opened.index = await indexes.of(opened.fd);
  return { name: source.name, rank, source: opened, lane: null, beginning: opened.beginning };
}

function bytesOf({ source, lane, beginning }: Planned): number | null {
  return lane ? lane.bytesTotal : beginning && source!.sizeBytes;
}

function sumOf(sizes: (number | null)[]): number {
  return sizes.includes(null) ? 0 : sizes.reduce<number>((sum, size) => sum + size!, 0);
}

/** What can be read only once can not wait for others. */
function checkOnce(sources: readonly Planned[]): void {
  const once = sources.find(({ source, beginning }) => source && !beginning);
  if (once && sources.length > 1)
    throw new SpillwayError('REQUEST_INVALID', `${once.name}: a source that can be read only once can not be exported together with others`);
}

/** What a display filter is asked of is read twice: for tshark, or to see whether it is needed, and for the output. */
async function checkDisplay(
  sources: readonly Planned[],
  native: readonly FilterText[],
  display: readonly string[],
  linkTypes: readonly number[],
  { comments }: ExportRequest,
): Promise<Filters | null> {
  const once = sources.find(({ source, beginning }) => source && !beginning);
  if (once)
    throw new SpillwayError('SOURCE_UNSUPPORTED', `${once.name}: it can be read only once, and a display filter needs to read it twice: give a file`);
  const { translated } = await import('./translated.js');
  const programs = await translated(native, display, linkTypes, comments?.interface);
  if (programs) return programs;
  const { checkDissected } = await import('../dissect/tshark.js');
  const { joined } = await import('../dissect/text.js');
  for (const filter of display) await checkDissected(filter);
  joined(display);
  return null;
}

export async function closeAll(sources: readonly Planned[]): Promise<void> {
  for (const { source, lane } of sources) await (lane ?? source!).close().catch(() => {});
}

async function closeLanes(sources: readonly Source[]): Promise<void> {
  for (const source of sources) if ('lane' in source) await source.lane.close().catch(() => {});
}
