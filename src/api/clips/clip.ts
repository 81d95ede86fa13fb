/** A clip as clients see it. */
import Type, { type Static } from 'typebox';
import type { Clip as KeptClip, ClipFilter } from '../../buffer/clip-file.js';
import type { ClipEstimate } from '../../buffer/clip-estimate.js';
import { SpillwayError } from '../../errors.js';
import { Closed, Filters, Text, Uint64 } from '../../export/schema.js';
import { parseTime } from '../../export/times.js';
import { formatEpoch } from '../../units.js';
import { LIMITS } from '../../config.js';

const time = 'seconds since the epoch, up to nine decimals; "0" or "None": not set';

const Config = Closed(
  {
    job_id: Type.Optional(Text('The job whose packets are kept; needed for a new clip')),
    start_time: Type.Optional(Text(`Start, included: ${time}: from the first packet`)),
    end_time: Type.Optional(Text(`End, not included: ${time}: up to now`)),
    description: Type.Optional(Type.String({ description: 'What it is kept for' })),
    filters: Type.Optional(Closed({ items: Type.Optional(Filters) }, 'What exports of the clip let through; BPF')),
  },
  'What a clip keeps',
);

const Status = Closed(
  {
    creation_time: Type.Optional(Text('Seconds since the epoch, nine decimals')),
    modification_time: Type.Optional(Text('Seconds since the epoch, nine decimals')),
    estimated_size: Type.Optional(Uint64('Bytes of the packets in the range, about')),
    locked: Type.Optional(Type.Boolean({ description: 'Its packets are kept from retention' })),
    packets_dropped: Type.Optional(Uint64('Packets that capture lost in the range')),
    packets_written: Type.Optional(Uint64('Packets in the range, about')),
  },
  'State of a clip; ignored in requests',
);

export const Clip = Closed({ id: Type.Optional(Text('Ignored in requests')), config: Config, status: Type.Optional(Status) }, 'A kept part of a job');
export const Clips = Type.Object({ items: Type.Array(Clip) }, { description: 'Clips, oldest first' });
export type Clip = Static<typeof Clip>;

/** The filters of a configuration; those of other languages are refused. */
export function filtersOf({ config: { filters } }: Clip): ClipFilter[] {
  const items = filters?.items ?? [];
  if (items.length > LIMITS.filters)
    throw new SpillwayError('FILTER_TOO_COMPLEX', `config.filters.items has ${items.length} filters, more than ${LIMITS.filters}`);
  return items.map((item, i) => {
    const { type } = item;
    if (type !== 'BPF') throw new SpillwayError('FILTER_UNSUPPORTED', `config.filters.items[${i}].type ${type} is not served: use BPF`);
    return { ...item, type };
  });
}

/** Refuses another job or range than the clip has; what is not given stays. */
export function refuseMoved({ config }: Clip, { id, job, startNs, endNs, given }: KeptClip): void {
  const fixed = (name: string): SpillwayError => new SpillwayError('CLIP_FIXED', `clip ${id}: config.${name} can not be changed: make another clip`);
  if (config.job_id !== undefined && config.job_id !== job.id && config.job_id !== job.name) throw fixed('job_id');
  if (config.start_time !== undefined && parseTime(config.start_time, 'config.start_time') !== startNs) throw fixed('start_time');
  const end = parseTime(config.end_time, 'config.end_time');
  const isUnset = end === null && parseTime(given.end, 'config.end_time') === null;
  if (config.end_time !== undefined && !isUnset && end !== endNs) throw fixed('end_time');
}

export function clipView(clip: KeptClip, { packets, bytes, dropped, isHeld }: ClipEstimate): Clip {
  const { id, job, reason, createdNs, modifiedNs, startNs, endNs, filters, given } = clip;
  return {
    id,
    config: {
      job_id: job.id,
      start_time: given.start ?? (startNs === null ? '0' : formatEpoch(startNs)),
      end_time: given.end ?? formatEpoch(endNs),
      description: reason,
      filters: { items: filters as Static<typeof Filters> },
    },
    status: {
      creation_time: formatEpoch(createdNs),
      modification_time: formatEpoch(modifiedNs),
      estimated_size: bytes,
      locked: isHeld,
      packets_dropped: dropped,
      packets_written: packets,
    },
  };
}
