/** `spillway merge`: an export of everything in several sources. */
import { exportBy } from './export.js';
import { OUTPUT, SNAP } from './export-arguments.js';
import type { CommandSpec } from './flags.js';
import { EXIT_HELP, FORMATS_HELP } from './help.js';
import type { Io } from './io.js';

export const MERGE: CommandSpec = {
  name: 'merge',
  operands: { value: 'SOURCE', many: true },
  about: `Writes the packets of several captures into one, in time order.

SOURCE is a capture file (pcap or pcapng, also inside gzip or zstd) or jobs/NAME, the buffer of a capture. Next comes the packet whose time is the smallest
among the next packets of all sources; of equal times, that of the source named first. So the packets of one source
stay in their own order, also where its times step back; and a packet without a time follows the one before it.

It is export with several sources and without a choice of packets: for filters, time ranges and limits, use that.`,
  flags: [SNAP, ...OUTPUT],
  notes: `${FORMATS_HELP}

Examples:
  spillway merge east.pcap west.pcap -o both.pcap
  spillway merge eth0.pcap wlan0.pcapng.gz any.pcap.zst -F pcapng_ns -o all.pcapng
  spillway merge day-*.pcap | tcpdump -nr -

${EXIT_HELP}`,
};

export const mergeCommand = (args: readonly string[], io: Io): Promise<number> => exportBy(MERGE, args, io);
