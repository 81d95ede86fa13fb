/** Help texts: those of one command from its table, and what several commands teach alike. */
import { flagsOf, type CommandSpec, type FlagSpec } from './flags.js';

export const TIMES_HELP = `Times (T):
  1613657410.054126           seconds since 1970, up to nine decimals
  2026-05-01T12:00:00+02:00   date and time with an offset (RFC 3339), up to nine decimals
  -10m                        before the last packet (of a job: before now): 250ms, 10s, 5m, 2h, 1d, 1h30m;
                              not for standard input
  +10m                        after now: of a job, it is waited for
  A range includes its start and not its end.`;

export const FORMATS_HELP = `Formats:
  pcap_us, pcap_ns        pcap with microseconds or nanoseconds; one link type, times from 1970 to 2106
  pcapng_us, pcapng_ns    pcapng; several link types, names and comments are kept
  Microseconds are cut, never rounded.`;

export const EXIT_HELP = `Exit codes:
  0    done
  1    the command line is wrong
  2    it failed while running, or the reader of the output left
  3    the input is damaged: every whole packet before the damage was used
  130  interrupted (143: terminated); no output file is left`;

function flagForm(flag: FlagSpec): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  return `  ${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
}

export function helpText(spec: CommandSpec): string {
  const forms = flagsOf(spec).map((flag) => ({ form: flagForm(flag), about: flag.about + (flag.many === true ? ' (may repeat)' : '') }));
  const width = Math.max(...forms.map(({ form }) => form.length)) + 2;
  const operands = spec.operands === null ? '' : ` ${spec.operands.value}${spec.operands.many && !spec.operands.optional ? '...' : ''}`;
  const options = forms.map(({ form, about }) => form.padEnd(width) + about).join('\n');
  return `Usage: spillway ${spec.name}${operands} [options]\n\n${spec.about}\n\nOptions:\n${options}\n\n${spec.notes}\n`;
}
