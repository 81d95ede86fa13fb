/** `spillway filter`: checks a packet filter and shows its program. */
import { SpillwayError } from '../errors.js';
import { DATA_FLAG } from './data-flag.js';
import { note } from './fail.js';
import { parseCommand, suggestion, type CommandSpec } from './flags.js';
import { helpText } from './help.js';
import type { Io } from './io.js';

export const FILTER: CommandSpec = {
  name: 'filter',
  operands: { value: 'EXPR', many: true },
  about: `Checks a packet filter (pcap-filter syntax, or STEELFILTER) and shows the program it becomes, one instruction
a line; or checks a display filter. With --explain: who answers it over a source, and what that reads.

Several words are joined with spaces.`,
  flags: [
    { name: 'link-type', value: 'NAME|NUMBER', about: 'what the packets are: EN10MB (default), LINUX_SLL, RAW, 113, ...' },
    { name: 'steel', about: 'EXPR is a STEELFILTER' },
    { name: 'display-filter', short: 'Y', about: 'EXPR is a display filter of Wireshark' },
    {
      name: 'explain',
      value: 'SOURCE',
      many: true,
      about: 'tell what becomes of it over SOURCE: a file, or jobs/NAME as in export',
    },
    DATA_FLAG,
  ],
  notes: `Examples:
  spillway filter 'host 10.0.0.1 and tcp port 443'
  spillway filter --link-type LINUX_SLL2 tcp port 80
  spillway filter --steel 'ip.addr == 10.0.0.0/8 and not tcp.port == 22'
  spillway filter -Y 'tls.handshake.type == 1'
  spillway filter --explain jobs/eth0 'host 10.0.0.1 and port 53'

Exit codes:
  0    the filter is valid
  1    it is not, or the command line is wrong
  2    the filter compiler, or tshark, can not be used`,
};

export async function filterCommand(args: readonly string[], io: Io): Promise<number> {
  const parsed = parseCommand(FILTER, args);
  if (parsed.help) {
    io.stdout.write(helpText(FILTER));
    return 0;
  }
  const text = parsed.operands.join(' ');
  const language = parsed.values.has('display-filter') ? 'wireshark' : parsed.values.has('steel') ? 'steelfilter' : 'bpf';
  if (parsed.values.has('explain')) return (await import('./explain.js')).explain(language, text, parsed, io);
  const linkType = await linkTypeNamed(parsed.values.get('link-type')?.[0] ?? 'EN10MB');
  if (language === 'wireshark' && !(await isTranslated(text, linkType, io))) return 0;
  const [{ compileText }, { disassemble }, { verifyProgram }] = await Promise.all([
    import('../filter/languages.js'),
    import('../filter/disassemble.js'),
    import('../native.js'),
  ]);
  const { code, rejectsAll } = await compileText({ language, text }, linkType);
  const fault = verifyProgram(code);
  if (fault !== null) throw new SpillwayError('FILTER_INVALID', `the filter's program is refused: ${fault}`);
  if (rejectsAll) note(io, 'warning: the expression rejects all packets');
  io.stdout.write(`${disassemble(code).join('\n')}\n`);
  return 0;
}

/** Else it has no program, and tshark has accepted it. */
async function isTranslated(text: string, linkType: number, io: Io): Promise<boolean> {
  const { translateWireshark } = await import('../filter/wireshark/wireshark.js');
  if (translateWireshark(text, linkType)) return true;
  const { checkDissected, theTshark } = await import('../dissect/tshark.js');
  await checkDissected(text);
  io.stdout.write(`answered by tshark ${(await theTshark()).version}\n`);
  return false;
}

async function linkTypeNamed(name: string): Promise<number> {
  const { linkTypeNumber, linkTypes } = await import('../filter/linktypes.js');
  const number = linkTypeNumber(name);
  if (number !== undefined) return number;
  const close = suggestion(
    name.toUpperCase(),
    linkTypes().map(([, known]) => known),
    '',
  );
  throw new SpillwayError('REQUEST_INVALID', `--link-type: ${JSON.stringify(name)} is no link type${close}`);
}
