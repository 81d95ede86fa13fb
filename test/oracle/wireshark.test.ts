/** Translated display filters against tshark: filters and packets by chance. Of those that are certain, tshark alone with them finds the same. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { DISSECTED_PORTS } from '../../src/filter/wireshark/tcp-ports.js';
import { contains } from '../../src/filter/predicate/sets.js';
import { translateWireshark } from '../../src/filter/wireshark/wireshark.js';
import { runProgram } from '../../src/native.js';
import { FilterMaker } from '../filter/wireshark/filters.js';
import { Chance, PacketMaker } from '../filter/wireshark/packets.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { pcapFile } from '../support/build.js';
import { temporaryFolder } from '../support/temporary.js';

const ROUNDS = 12;
const PACKETS = 400;
const folder = temporaryFolder();

function tshark(args: string[]): string {
  const { status, stdout, stderr } = spawnSync('tshark', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0) throw new Error(`tshark ${args.join(' ')}: ${stderr}`);
  return stdout;
}

describe.runIf(requireOrSkip('tshark', hasProgram('tshark')))('tshark', () => {
  it('finds what translated filters let through', () => {
    const first = Number(process.env['SPILLWAY_SEED'] ?? 1);
    let verdicts = 0;
    for (let seed = first; seed < first + ROUNDS; seed += 1) {
      const chance = new Chance(seed);
      const linkType = chance.of([1, 1, 1, 1, 113, 276, 0, 108, 101, 228, 229]);
      const { text } = new FilterMaker(chance).filter();
      const programs = translateWireshark(text, linkType);
      if (!programs) continue;
      const maker = new PacketMaker(chance, linkType);
      const accepts = (code: Uint8Array, { bytes, wireLength }: ReturnType<PacketMaker['packet']>): boolean =>
        runProgram(code, bytes, wireLength) !== 0;
      const packets = Array.from({ length: PACKETS }, () => maker.packet()).filter((packet) => accepts(programs.certain, packet));
      const records = packets.map(({ bytes, wireLength }, i) => ({ seconds: 1_600_000_000 + i, fraction: 0, data: bytes, wirelen: wireLength }));
      const path = folder.write(`${seed}.pcap`, pcapFile(records, { linkType }));
      const found = tshark(['-n', '-r', path, `-Y${text}`, '-T', 'fields', '-e', 'frame.number'])
        .split('\n')
        .filter(Boolean)
        .map(Number);
      const expected = packets.flatMap((packet, i) => (accepts(programs.answer, packet) ? [i + 1] : []));
      expect(found, `seed ${seed}, link type ${linkType}: ${text}`).toEqual(expected);
      verdicts += packets.length;
    }
    console.log(`tshark agrees on ${verdicts} packets`);
    expect(verdicts).toBeGreaterThan(500);
  }, 60_000);

  it('has no dissectors for other TCP ports than those that are listed', () => {
    const rows = tshark(['-G', 'decodes'])
      .split('\n')
      .map((line) => line.split('\t'));
    const ports = rows.filter(([name]) => name === 'tcp.port').map(([, port]) => Number(port));
    expect(ports.length).toBeGreaterThan(100);
    expect(ports.filter((port) => port >= 1024 && !contains(DISSECTED_PORTS, port))).toEqual([]);
  });
});
