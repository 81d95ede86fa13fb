/** What `info` prints: the lines of `capinfos -acdesu` under the same names, and more, for people. */
import type { SourceReport } from '../engine/inspect.js';
import type { InterfaceInfo } from '../native.js';
import { linkTypeName } from '../filter/linktypes.js';
import { formatEpoch, formatRfc3339 } from '../units.js';
import { oneLine } from './fail.js';

const TIME_UNITS = { us: 'microseconds', ns: 'nanoseconds' } as const;

export function fileType({ container, version, byteOrder, timeUnit, sections }: SourceReport): string {
  const detail = container === 'pcap' ? (timeUnit === null ? [] : [TIME_UNITS[timeUnit]]) : [`${sections} section${sections === 1 ? '' : 's'}`];
  return [`${container} ${version.join('.')}`, ...detail, `${byteOrder}-endian`].join(', ');
}

function compression({ compression }: SourceReport): string {
  return compression === null ? 'none' : `${compression} (no index: every use reads it from its start)`;
}

function time(ns: bigint | null): string {
  return ns === null ? 'no packet has a time' : `${formatRfc3339(ns)} (${formatEpoch(ns)})`;
}

export function durationNs({ minTimeNs, maxTimeNs }: SourceReport): bigint | null {
  return minTimeNs === null || maxTimeNs === null ? null : maxTimeNs - minTimeNs;
}

/** Ticks a second as `10^6/s`. */
function interfaceLine(number: number, { linkType, snapLengthBytes, resolution, offsetSeconds, packets, name, description }: InterfaceInfo): string {
  const parts = [
    `${linkTypeName(linkType)} (${linkType})`,
    snapLengthBytes === 0 ? 'no snap length' : `snap length ${snapLengthBytes}`,
    `${resolution.base}^${resolution.exponent} ticks a second`,
    ...(offsetSeconds === 0n ? [] : [`times ${offsetSeconds} s off`]),
    `${packets} packets`,
    ...[name, description].filter((text) => text !== undefined && text !== '').map((text) => oneLine(text!)),
  ];
  return `  ${number}: ${parts.join(', ')}`;
}

export function infoText(report: SourceReport): string {
  const duration = durationNs(report);
  const lines: [string, string][] = [
    ['File name', oneLine(report.name)],
    ['File type', fileType(report)],
    ['Compression', compression(report)],
    ['Index', 'none'],
    ['Number of packets', String(report.packets)],
    ['File size', report.sizeBytes === null ? 'not known (a stream)' : `${report.sizeBytes} bytes`],
    ['Data size', `${report.wireBytes} bytes`],
    ['Captured size', `${report.capturedBytes} bytes`],
    ['Capture duration', duration === null ? 'not known' : `${formatEpoch(duration)} seconds`],
    ['First packet time', time(report.minTimeNs)],
    ['Last packet time', time(report.maxTimeNs)],
  ];
  const rare: [string, bigint][] = [
    ['Packets without time', report.packetsWithoutTime],
    ['Times clamped', report.timesClamped],
    ['Blocks skipped', report.blocksSkipped],
  ];
  for (const [label, count] of rare) if (count > 0n) lines.push([label, String(count)]);
  if (report.damage !== null) lines.push(['Damage', `at byte ${report.damage.offsetBytes}: ${oneLine(report.damage.reason)}`]);
  lines.push(['Interfaces', String(report.interfaces.length)]);
  const width = Math.max(...lines.map(([label]) => label.length)) + 2;
  const text = lines.map(([label, value]) => `${label}:`.padEnd(width) + value);
  return [...text, ...report.interfaces.map((info, i) => interfaceLine(i, info)), ''].join('\n');
}
