/**
 * The resources of the packet export API: the one source for checking requests, for the TypeScript types and for
 * the OpenAPI page. Everything but `export` itself refuses properties it does not know.
 */
import Type, { type Static, type TSchema } from 'typebox';
import { writeJson } from './json.js';

/** What the API assumes where a configuration is silent. */
export const DEFAULTS = {
  connection_timeout_msec: 180_000,
  handle_timeout_msec: 60_000,
  snap_length: 65535,
  output_format: 'PCAP_US',
} as const;

/** A day: what tshark can make use of before a range are the beginnings of its streams. */
export const MAX_CONTEXT_SEC = 86_400;

const UINT64_MAX = 2n ** 64n - 1n;

/** A counter: `number` where that is exact, else `bigint`. */
export type Uint64 = number | bigint;

/** The page shows `integer` (see api/docs.ts): the type itself must also let `bigint` pass. */
export const Uint64 = (description: string, given: { default?: number } = {}) =>
  Type.Refine(
    Type.Unsafe<Uint64>({ format: 'uint64', minimum: 0, description, ...given }),
    (value) => (typeof value === 'bigint' || Number.isInteger(value)) && value >= 0 && value <= UINT64_MAX,
    () => 'must be an integer from 0 to 18446744073709551615',
  );
export const UintN = (bits: 16 | 32, description: string, given: { default?: number } = {}) =>
  Type.Integer({ format: `uint${bits}`, minimum: 0, maximum: 2 ** bits - 1, description, ...given });
export const Text = (description: string) => Type.String({ description });
export const OneOf = <const V extends string>(values: readonly V[], description: string, given: { default?: V } = {}) =>
  Type.Unsafe<V>({ type: 'string', enum: [...values], description, ...given });
export const Closed = <P extends Record<string, TSchema>>(properties: P, description: string) =>
  Type.Object(properties, { additionalProperties: false, description });

export const MODES = ['LIVE_STREAM', 'BUFFER_STREAM', 'STREAM_TO_FILE', 'LEGACY', 'PREPARE'] as const;
export type Mode = (typeof MODES)[number];
export const FORMATS = ['PCAP_US', 'PCAP_NS', 'PCAPNG_US', 'PCAPNG_NS'] as const;
export const FILTER_TYPES = ['BPF', 'STEELFILTER', 'WIRESHARK'] as const;
export const CONTEXTS = ['NONE', 'INTERNAL', 'USER', 'DRILL_DOWN'] as const;
export const STATES = ['UNINITIALIZED', 'INITIALIZING', 'READY', 'RUNNING', 'STREAMING', 'DONE', 'NODATA', 'ERRORS'] as const;
export type State = (typeof STATES)[number];

const time = 'seconds since the epoch, up to nine decimals; "0" or "None": not set';

export const TimeInterval = Closed({ start_time: Text(`Start, included: ${time}`), end_time: Text(`End, not included: ${time}`) }, 'A time interval');

export const Filter = Closed(
  {
    id: Text('Any name; need not be unique'),
    type: OneOf(FILTER_TYPES, 'Language of the filter'),
    value: Text('Text of the filter'),
    context: Type.Optional(OneOf(CONTEXTS, 'Where the filter comes from', { default: 'NONE' })),
  },
  'A filter',
);

export const Filters = Type.Array(Filter, { description: 'Array of filter criteria.' });

export const StopRule = Closed(
  {
    packet_limit: Type.Optional(Uint64('Packets written; 0: no limit')),
    size_limit: Type.Optional(Uint64('Sum of captured lengths written, after the cut, without headers; 0: no limit')),
    time_limit: Type.Optional(
      UintN(32, 'Seconds of capture time from the first exported packet, of live sources seconds from the request on; 0: no limit'),
    ),
  },
  'Where the output stops',
);

export const Config = Closed(
  {
    path: Text('Source: fs/<owner>/<file>, jobs/<name or id> for the buffer of a capture, clips/<id>, interfaces/<name> or vifgs/<number>'),
    mode: Type.Optional(OneOf(MODES, 'LEGACY (as when absent), LIVE_STREAM and STREAM_TO_FILE are served')),
    start_time: Type.Optional(Text(`Start, included: ${time}`)),
    end_time: Type.Optional(Text(`End, not included: ${time}`)),
    time_intervals: Type.Optional(Type.Array(TimeInterval, { description: 'Narrow start_time..end_time to their union' })),
    filters: Type.Optional(Closed({ items: Type.Optional(Filters) }, 'All of them must accept a packet')),
    stop_rule: Type.Optional(StopRule),
    snap_length: Type.Optional(UintN(16, 'Bytes kept of each packet; 0: all', { default: DEFAULTS.snap_length })),
    output_format: Type.Optional(OneOf(FORMATS, 'Format of the output', { default: DEFAULTS.output_format })),
    output_filename: Type.Optional(Text('STREAM_TO_FILE only: /<owner>/<file> in the file system of the probe')),
    connection_timeout_msec: Type.Optional(
      Uint64('How long the export waits for its client before it is removed; 0: for ever', { default: DEFAULTS.connection_timeout_msec }),
    ),
    handle_timeout_msec: Type.Optional(
      Uint64('How long the export stays listed after its end; 0: not at all', { default: DEFAULTS.handle_timeout_msec }),
    ),
  },
  'What to export',
);

export const Stats = Closed(
  {
    dropped_packets: Type.Optional(Uint64('Packets that capture lost inside the exported range')),
    estimated_bytes: Type.Optional(Uint64('Bytes of output expected; 0 while nothing is known')),
    estimated_packets: Type.Optional(Uint64('Packets of output expected; 0 while nothing is known')),
    exported_bytes: Type.Optional(Uint64('Bytes of output, before any content coding')),
    exported_packets: Type.Optional(Uint64('Packets of output')),
    processed_packets: Type.Optional(Uint64('Packets inside the time range that have been decided on')),
    total_bytes: Type.Optional(Uint64('Bytes of the source to be read')),
    truncated: Type.Optional(Type.Boolean({ description: 'A stop rule or damage in the source cut the output' })),
  },
  'Statistics of an export',
);

const Metric = Closed({ key: Type.String(), value: Type.String() }, 'A detail of an error');

export const MetricsList = Type.Array(Metric, { description: 'Details of an error' });

export const StatusError = Closed(
  {
    error_id: Text('Code, see docs/errors.md'),
    error_text: Text('One sentence'),
    error_metrics: Type.Optional(MetricsList),
  },
  'Why the export failed; only in ERRORS',
);

export const Status = Closed(
  {
    state: Type.Optional(OneOf(STATES, 'State of the export')),
    progress: Type.Optional(Type.Number({ minimum: 0, maximum: 100, format: 'double', description: 'Percent; never goes back' })),
    creation_time: Type.Optional(Text('Seconds since the epoch, nine decimals')),
    owner: Type.Optional(Text('Who made the export')),
    stats: Type.Optional(Stats),
    error: Type.Optional(StatusError),
  },
  'Status of an export; ignored in requests',
);

export const Export = Type.Object(
  {
    config: Config,
    filter_context_sec: Type.Optional(
      Type.Integer({
        format: 'uint32',
        minimum: 0,
        maximum: MAX_CONTEXT_SEC,
        default: 0,
        description: 'Seconds before start_time whose packets tshark sees, too, where it answers a filter; they are never exported',
      }),
    ),
    id: Type.Optional(Text('Ignored in requests')),
    status: Type.Optional(Status),
    receipt: Type.Optional(Type.Unsafe<unknown>({ description: 'Once the export has ended: what was read, written, left out and why' })),
  },
  { description: 'An export; other properties are kept as they are given' },
);

export const Exports = Type.Object({ items: Type.Array(Export) }, { description: 'Exports, oldest first' });

export const ErrorBody = Closed({ error_id: Text('Code, see docs/errors.md'), error_text: Text('One sentence') }, 'An error');

export type TimeInterval = Static<typeof TimeInterval>;
export type Filter = Static<typeof Filter>;
export type Config = Static<typeof Config>;
export type Stats = Required<Static<typeof Stats>>;
export type StatusError = Static<typeof StatusError>;
export type Status = Static<typeof Status>;
export type Export = Static<typeof Export> & Record<string, unknown>;

/** The configuration with every default that the API names filled in, as clients read it. */
export function withDefaults(config: Config): Config {
  const filters = config.filters?.items?.map((filter) => ({ context: 'NONE' as const, ...filter }));
  return { ...DEFAULTS, ...config, ...(filters && { filters: { items: filters } }) };
}

/** Whether two configurations ask for the same but for the mode, whatever the order of their properties. */
export function isSameButForMode(a: Config, b: Config): boolean {
  return canonical({ ...withDefaults(a), mode: 'LEGACY' }) === canonical({ ...withDefaults(b), mode: 'LEGACY' });
}

/** An absent mode is LEGACY. */
export function isSameMode(a: Config, b: Config): boolean {
  return (a.mode ?? 'LEGACY') === (b.mode ?? 'LEGACY');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return writeJson(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
