/** What `info --json` prints. */
import type { SourceReport } from '../engine/inspect.js';
import { writeJson } from '../export/json.js';
import { linkTypeName } from '../filter/linktypes.js';
import { formatEpoch } from '../units.js';
import { durationNs } from './info-text.js';

const seconds = (ns: bigint | null): string | null => (ns === null ? null : formatEpoch(ns));

/** One line; counts are exact integers, times are seconds since 1970 with nine decimals, as text. */
export function infoJson(report: SourceReport): string {
  return writeJson({
    name: report.name,
    container: report.container,
    version: report.version.join('.'),
    byte_order: report.byteOrder,
    time_unit: report.timeUnit,
    compression: report.compression,
    index: null,
    sections: report.sections,
    packets: report.packets,
    size_bytes: report.sizeBytes,
    wire_bytes: report.wireBytes,
    captured_bytes: report.capturedBytes,
    duration_seconds: seconds(durationNs(report)),
    min_time: seconds(report.minTimeNs),
    max_time: seconds(report.maxTimeNs),
    first_time: seconds(report.firstTimeNs),
    last_time: seconds(report.lastTimeNs),
    packets_without_time: report.packetsWithoutTime,
    times_clamped: report.timesClamped,
    blocks_skipped: report.blocksSkipped,
    damage: report.damage && { offset_bytes: report.damage.offsetBytes, reason: report.damage.reason },
    interfaces: report.interfaces.map((info) => ({
      link_type: info.linkType,
      link_type_name: linkTypeName(info.linkType),
      snap_length_bytes: info.snapLengthBytes,
      ticks_per_second: `${info.resolution.base}^${info.resolution.exponent}`,
      offset_seconds: info.offsetSeconds,
      packets: info.packets,
      name: info.name,
      description: info.description,
    })),
  });
}
