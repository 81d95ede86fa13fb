/** What a PCAPNG output says of itself: who asked for it and when, what it is of, and what was left out of it. */
import { formatRfc3339 } from '../units.js';
import type { ExportHandle } from './handle.js';
import { DEFAULTS } from './schema.js';

/** Of characters: PCAPNG has room for 65,535 bytes, and a filter may be longer. */
const TEXT_MAX = 15_000;

/** The date in it is the export's creation, so that the same export has the same bytes. */
export function commentsOf({ id, owner, creationNs, given: { config } }: ExportHandle, version: string): { section: string; interface: string } {
  const { path, start_time: start, end_time: end, time_intervals: intervals = [], filters, snap_length: snap = DEFAULTS.snap_length } = config;
  const texts = (filters?.items ?? []).map(({ type, value }) => `${type} ${value}`);
  const filter = texts.length === 0 ? 'every packet' : `packets that pass ${texts.join(' and ')}`;
  const times = [
    ...(isSet(start) ? [`from ${start}`] : []),
    ...(isSet(end) ? [`to ${end}`] : []),
    ...(intervals.length > 0 ? [`in ${intervals.length} intervals`] : []),
  ];
  const range = times.length === 0 ? '' : ` ${times.join(' ')}`;
  const cut = snap === 0 ? '' : `, ${snap} bytes of each at most`;
  return {
    section: `Spillway ${version}, export ${id}: made by ${owner} at ${formatRfc3339(creationNs)}; of ${path}${range}: ${filter}${cut}`.slice(
      0,
      TEXT_MAX,
    ),
    interface: `${filter}${cut}`.slice(0, TEXT_MAX),
  };
}

const isSet = (time: string | undefined): boolean => time !== undefined && time !== 'None' && !/^0*\.?0*$/.test(time);
