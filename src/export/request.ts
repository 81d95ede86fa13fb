/** What a configuration asks for, checked once and turned into what the engine takes. */
import { LIMITS } from '../config.js';
import { CAPTURED_KINDS, isLive, type CapturedName } from '../capture/captured-sources.js';
import { refuseText } from '../dissect/text.js';
import { shareOut } from '../engine/answered-by.js';
import type { ExportFormat, ExportRequest, FilterText, StopRules } from '../engine/types.js';
import { withContext } from '../engine/windows.js';
import { SpillwayError } from '../errors.js';
import { readSteelfilter } from '../filter/steelfilter/steelfilter.js';
import { NS_PER_SECOND } from '../units.js';
import { DEFAULTS, type Config, type Filter, type MODES } from './schema.js';
import { outerWindow, timeWindows } from './windows.js';

export interface CheckedRequest {
  mode: (typeof MODES)[number];
  /** `fs`: `<owner>/<file>` in the file system that clients see; else captured traffic. */
  source: { kind: 'fs'; name: string } | CapturedName;
  /** Goes on with what is captured. */
  isFollowed: boolean;
  /** `/<owner>/<file>`; only in STREAM_TO_FILE, and in PREPARE, where that may follow. */
  output: string | null;
  /** The engine's request but for its sources. */
  selection: Omit<ExportRequest, 'sources'>;
}

/** Checks everything that can be checked without looking at the source; `nowNs`: when the request came, `contextSec`: of `filter_context_sec`. */
export function checkRequest(config: Config, nowNs: bigint, contextSec = 0): CheckedRequest {
  const mode = config.mode ?? 'LEGACY';
  const source = sourceOf(config.path);
  const selection = {
    filters: filtersOf(config),
    windows: windowsOf(config),
    seen: withContext(outerWindow(config), BigInt(contextSec) * NS_PER_SECOND),
    snapLengthBytes: config.snap_length ?? DEFAULTS.snap_length,
    limits: limitsOf(config),
    format: formatOf(config),
  };
  const isLive = isLiveSource(source);
  if (isLive && mode !== 'LIVE_STREAM') refuseEndless(config, selection);
  const isFollowed = isLive || (mode === 'LIVE_STREAM' && source.kind === 'jobs');
  if (isFollowed && shareOut(selection.filters).dissected.length > 0)
    throw new SpillwayError(
      'SOURCE_UNSUPPORTED',
      'a display filter that tshark answers needs what is captured already: not the mode LIVE_STREAM, and no live source',
    );
  return { mode, source, isFollowed, output: outputOf(config, mode), selection: isFollowed ? followed(selection, nowNs) : selection };
}

function isLiveSource(source: CheckedRequest['source']): boolean {
  return source.kind !== 'fs' && isLive(source);
}

/** Only a client who says that it wants a live stream knows how it ends. */
function refuseEndless({ path }: Config, { windows, limits }: CheckedRequest['selection']): void {
  const ends = windows.length > 0 && windows.every(({ endNs }) => endNs !== null);
  if (!ends && limits.packets === 0n && limits.capturedBytes === 0n && limits.durationNs === 0n)
    throw new SpillwayError('REQUEST_INVALID', `config.path ${shown(path)} is live: it needs an end_time, a stop_rule or the mode LIVE_STREAM`);
}

/** From now on where no start is given; a limit on time is one of the clock on the wall. */
function followed(selection: CheckedRequest['selection'], nowNs: bigint): CheckedRequest['selection'] {
  const { windows, limits } = selection;
  const lastNs = limits.durationNs === 0n ? null : nowNs + limits.durationNs;
  const earlier = (endNs: bigint | null): bigint | null => (endNs === null || (lastNs !== null && lastNs < endNs) ? lastNs : endNs);
  const all = windows.length > 0 ? windows : [{ startNs: null, endNs: null }];
  const bounded = all.map(({ startNs, endNs }) => ({ startNs: startNs ?? nowNs, endNs: earlier(endNs) }));
  const some = bounded.filter(({ startNs, endNs }) => endNs === null || startNs < endNs);
  return { ...selection, windows: some.length > 0 ? some : [{ startNs: nowNs, endNs: nowNs }], limits: { ...limits, durationNs: 0n } };
}

export function formatOf(config: Config): ExportFormat {
  return (config.output_format ?? DEFAULTS.output_format).toLowerCase() as ExportFormat;
}

export function limitsOf({ stop_rule: rule = {} }: Config): StopRules {
  return {
    packets: BigInt(rule.packet_limit ?? 0),
    capturedBytes: BigInt(rule.size_limit ?? 0),
    durationNs: BigInt(rule.time_limit ?? 0) * NS_PER_SECOND,
  };
}

function sourceOf(path: string): CheckedRequest['source'] {
  // Ids may begin with a slash, so that clients that join them make two.
  const [, kind, name] = /^([a-z]+)\/\/?([^/]+)$/.exec(path) ?? [];
  const captured = CAPTURED_KINDS.find((known) => known === kind);
  if (captured !== undefined) return { kind: captured, name: name! };
  const [, file] = /^fs\/\/?(.+)$/s.exec(path) ?? [];
  if (file === undefined)
    throw new SpillwayError(
      'SOURCE_NOT_FOUND',
      `config.path ${shown(path)} names nothing: a source is fs/<owner>/<file>, jobs/<name or id>, clips/<id>, interfaces/<name> or vifgs/<number>`,
    );
  return { kind: 'fs', name: file };
}

function outputOf({ output_filename: output }: Config, mode: CheckedRequest['mode']): string | null {
  if (mode === 'STREAM_TO_FILE' && output === undefined) {
    throw new SpillwayError('OUTPUT_INVALID', 'config.output_filename is missing: STREAM_TO_FILE needs it, as /<owner>/<file>');
  }
  if (mode !== 'STREAM_TO_FILE' && mode !== 'PREPARE' && output !== undefined) {
    throw new SpillwayError('OUTPUT_INVALID', `config.output_filename is for the mode STREAM_TO_FILE, not ${mode}`);
  }
  return output ?? null;
}

function filtersOf(config: Config): FilterText[] {
  const items = config.filters?.items ?? [];
  if (items.length > LIMITS.filters)
    throw new SpillwayError('FILTER_TOO_COMPLEX', `config.filters.items has ${items.length} filters, more than ${LIMITS.filters}`);
  return items.map(filterOf);
}

function filterOf({ type, value }: Filter): FilterText {
  if (type === 'BPF') return value;
  // What is wrong with the text does not depend on the source, so it is said at once.
  if (type === 'WIRESHARK') {
    refuseText(value);
    return { language: 'wireshark', text: value };
  }
  readSteelfilter(value);
  return { language: 'steelfilter', text: value };
}

function windowsOf(config: Config): ExportRequest['windows'] {
  const count = config.time_intervals?.length ?? 0;
  if (count > LIMITS.timeIntervals)
    throw new SpillwayError('TIME_INVALID', `config.time_intervals has ${count} intervals, more than ${LIMITS.timeIntervals}`);
  return timeWindows(config);
}

const shown = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
