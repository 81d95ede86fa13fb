/** A capture job as clients see it. */
import Type, { type Static } from 'typebox';
import type { Job as CaptureJob } from '../../buffer/jobs.js';
import type { JobConfig } from '../../capture/job-config.js';
import type { JobState } from '../../capture/job-state.js';
import type { JobDefaults } from '../../capture/settings.js';
import { SpillwayError } from '../../errors.js';
import { Closed, FILTER_TYPES, OneOf, Text, Uint64, UintN } from '../../export/schema.js';
import { formatEpoch } from '../../units.js';

/** What a capture takes at most (native/capture/limits.h, options.cc). */
const SNAP_MAX = 262_144;
const AGE_MAX_SECONDS = 100 * 366 * 86_400;

export const snapLength = Type.Integer({ minimum: 0, maximum: SNAP_MAX, description: 'Bytes kept of each packet; 0: all' });
export const Retention = Closed(
  {
    max_bytes: Type.Optional(
      Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'The oldest packets go when the buffer is larger; 0: never' }),
    ),
    max_age_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: AGE_MAX_SECONDS, description: 'Packets go when they are older; 0: never' })),
  },
  'What the buffer lets go of; what is not given stays',
);

export const Filter = Closed(
  {
    type: Type.Optional(OneOf(FILTER_TYPES, 'Language of the filter; BPF is served')),
    value: Type.Optional(Text('Text of the filter; empty: every packet')),
  },
  'What is captured',
);

export const Config = Closed(
  {
    name: Text('Letters, digits, dots, dashes and underscores, 64 at most: jobs/<name> is a source'),
    enabled: Type.Optional(Type.Boolean({ description: 'The job is captured' })),
    vifgs: Type.Optional(Type.Array(UintN(32, 'Number of a group of interfaces'), { description: 'The groups whose interfaces are captured' })),
    capture_from_all_vifgs: Type.Optional(Type.Boolean({ description: 'Every interface that is enabled and can be captured' })),
    filter: Type.Optional(Filter),
    snap_len: Type.Optional(snapLength),
    retention_rules: Type.Optional(Retention),
    indexing: Type.Optional(Closed({ enabled: Type.Boolean() }, 'Every buffer has its index: always true')),
  },
  'What to capture',
);

const Counter = (description: string) =>
  Closed(
    {
      total: Type.Optional(Uint64('Since the capture was last begun')),
      last_second: Type.Optional(Uint64('In the last second')),
      last_minute: Type.Optional(Uint64('In the last minute')),
      last_hour: Type.Optional(Uint64('In the last hour')),
    },
    description,
  );

export const State = Closed(
  {
    stats: Type.Optional(
      Closed(
        {
          packets_written: Type.Optional(Counter('Packets written')),
          bytes_written: Type.Optional(Counter('Captured bytes written')),
          packets_dropped: Type.Optional(Counter('Packets lost: in the ring, in the queue, at the disk')),
        },
        'What came',
      ),
    ),
    status: Type.Optional(
      Closed(
        {
          state: Type.Optional(OneOf(['UNKNOWN', 'STOPPED', 'RUNNING'], 'Whether the job is captured')),
          packet_start_time: Type.Optional(Text('Of the first packet in the buffer, seconds since the epoch with nine decimals; 0: there is none')),
          packet_end_time: Type.Optional(Text('Of the last one')),
          capture_size: Type.Optional(Uint64('Bytes in the buffer')),
          capture_disk_space: Type.Optional(Uint64('Bytes of the disk that the buffer takes, indexes included')),
        },
        'What the buffer holds',
      ),
    ),
  },
  'State of a job; ignored in requests',
);

export const Job = Closed({ id: Type.Optional(Text('Ignored in requests')), config: Config, state: Type.Optional(State) }, 'A capture job');
export const Jobs = Type.Object({ items: Type.Array(Job) }, { description: 'Capture jobs, by name' });

export type Job = Static<typeof Job>;

/** What a new job is where its client does not say. */
export function newConfig({ snapLengthBytes, retainBytes, retainAgeSeconds }: JobDefaults): Omit<JobConfig, 'name'> {
  return { enabled: true, vifgs: [], allVifgs: false, filter: null, snapLengthBytes, retainBytes, retainAgeSeconds };
}

/** What is not given is as in `before`. */
export function configFrom({ config }: Job, before: Omit<JobConfig, 'name'>): JobConfig {
  const { name, enabled, vifgs, capture_from_all_vifgs: allVifgs, filter, snap_len: snap, retention_rules: rules, indexing } = config;
  if (indexing?.enabled === false) throw new SpillwayError('REQUEST_INVALID', 'config.indexing.enabled can not be false: every buffer has its index');
  return {
    name,
    enabled: enabled ?? before.enabled,
    vifgs: vifgs ?? before.vifgs,
    allVifgs: allVifgs ?? before.allVifgs,
    filter: filter ? filterText(filter, 'config.filter') : before.filter,
    snapLengthBytes: snap ?? before.snapLengthBytes,
    retainBytes: rules?.max_bytes ?? before.retainBytes,
    retainAgeSeconds: rules?.max_age_seconds ?? before.retainAgeSeconds,
  };
}

/** null: every packet. */
export function filterText({ type = 'BPF', value = '' }: Static<typeof Filter>, name: string): string | null {
  if (value === '') return null;
  if (type !== 'BPF') throw new SpillwayError('FILTER_UNSUPPORTED', `${name}.type ${type} is not served: use BPF`);
  return value;
}

export function configView(config: Omit<JobConfig, 'name'>): Omit<Job['config'], 'name'> {
  const { enabled, vifgs, allVifgs, filter, snapLengthBytes, retainBytes, retainAgeSeconds } = config;
  return {
    enabled,
    vifgs,
    capture_from_all_vifgs: allVifgs,
    filter: { type: 'BPF', value: filter ?? '' },
    snap_len: snapLengthBytes,
    retention_rules: { max_bytes: retainBytes, max_age_seconds: retainAgeSeconds },
    indexing: { enabled: true },
  };
}

export function jobView({ id }: CaptureJob, { name, ...config }: JobConfig, { running, counts, holding }: JobState): Job {
  return {
    id,
    config: { name, ...configView(config) },
    state: {
      stats: { packets_written: counts.packets, bytes_written: counts.bytes, packets_dropped: counts.dropped },
      status: {
        state: running,
        packet_start_time: formatEpoch(holding.firstNs ?? 0n),
        packet_end_time: formatEpoch(holding.lastNs ?? 0n),
        capture_size: holding.bytes,
        capture_disk_space: holding.diskBytes,
      },
    },
  };
}
