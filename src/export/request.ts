/** What a configuration asks for, checked once and turned into what the engine takes. */
import { LIMITS } from '../config.js';
import type { ExportFormat, ExportRequest, StopRules } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { NS_PER_SECOND } from '../units.js';
import { DEFAULTS, type Config, type Filter } from './schema.js';
import { timeWindows } from './windows.js';

export interface CheckedRequest {
  mode: 'LEGACY' | 'STREAM_TO_FILE';
  /** `fs`: `<owner>/<file>` in the file system that clients see; `jobs`: the name or id of a capture job. */
  source: { kind: 'fs' | 'jobs'; name: string };
  /** `/<owner>/<file>`; only in STREAM_TO_FILE. */
  output: string | null;
  /** The engine's request but for its sources. */
  selection: Omit<ExportRequest, 'sources'>;
}

const SERVED_MODES = ['LEGACY', 'STREAM_TO_FILE'] as const;
const OTHER_SOURCES = ['clips', 'interfaces', 'vifgs'];

/** Checks everything that can be checked without looking at the source. */
export function checkRequest(config: Config): CheckedRequest {
  const mode = modeOf(config);
  return {
    mode,
    source: sourceOf(config.path),
    output: outputOf(config, mode),
    selection: {
      filters: filtersOf(config),
      windows: windowsOf(config),
      snapLengthBytes: config.snap_length ?? DEFAULTS.snap_length,
      limits: limitsOf(config),
      format: formatOf(config),
    },
  };
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

export function modeOf(config: Config): CheckedRequest['mode'] {
  const mode = config.mode ?? 'LEGACY';
  const served = SERVED_MODES.find((name) => name === mode);
  if (served === undefined) throw new SpillwayError('MODE_UNSUPPORTED', `config.mode ${mode} is not served: use ${SERVED_MODES.join(' or ')}`);
  return served;
}

function sourceOf(path: string): CheckedRequest['source'] {
  const [kind = ''] = path.split('/', 1);
  // Ids may begin with a slash, so that clients that join them make two.
  const [, job] = /^jobs\/\/?([^/]+)$/.exec(path) ?? [];
  if (job !== undefined) return { kind: 'jobs', name: job };
  if (OTHER_SOURCES.includes(kind))
    throw new SpillwayError('SOURCE_UNSUPPORTED', `config.path ${shown(path)}: ${kind}/ is not served, only fs/<owner>/<file> and jobs/<name or id>`);
  const [, file] = /^fs\/\/?(.+)$/s.exec(path) ?? [];
  if (file === undefined)
    throw new SpillwayError('SOURCE_NOT_FOUND', `config.path ${shown(path)} names nothing: a source is fs/<owner>/<file> or jobs/<name or id>`);
  return { kind: 'fs', name: file };
}

function outputOf({ output_filename: output }: Config, mode: CheckedRequest['mode']): string | null {
  if (mode === 'STREAM_TO_FILE' && output === undefined) {
    throw new SpillwayError('OUTPUT_INVALID', 'config.output_filename is missing: STREAM_TO_FILE needs it, as /<owner>/<file>');
  }
  if (mode !== 'STREAM_TO_FILE' && output !== undefined) {
    throw new SpillwayError('OUTPUT_INVALID', `config.output_filename is for the mode STREAM_TO_FILE, not ${mode}`);
  }
  return output ?? null;
}

function filtersOf(config: Config): string[] {
  const items = config.filters?.items ?? [];
  if (items.length > LIMITS.filters)
    throw new SpillwayError('FILTER_TOO_COMPLEX', `config.filters.items has ${items.length} filters, more than ${LIMITS.filters}`);
  return items.map(textOf);
}

function textOf({ type, value }: Filter, index: number): string {
  if (type !== 'BPF') throw new SpillwayError('FILTER_UNSUPPORTED', `config.filters.items[${index}].type ${type} is not served: use BPF`);
  return value;
}

function windowsOf(config: Config): ExportRequest['windows'] {
  const count = config.time_intervals?.length ?? 0;
  if (count > LIMITS.timeIntervals)
    throw new SpillwayError('TIME_INVALID', `config.time_intervals has ${count} intervals, more than ${LIMITS.timeIntervals}`);
  return timeWindows(config);
}

const shown = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
