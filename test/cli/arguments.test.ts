/** Every flag of `export` with values it must refuse, and the code it refuses them with. */
import { describe, expect, it } from 'vitest';
import { EXPORT, exportArguments } from '../../src/cli/export-arguments.js';
import { parseCommand } from '../../src/cli/flags.js';
import { coded } from '../../src/errors.js';

const read = (...args: string[]): ReturnType<typeof exportArguments> => exportArguments(parseCommand(EXPORT, args));

const BAD: [flag: string, code: string, values: string[]][] = [
  ['--from', 'TIME_INVALID', ['', 'now', '1.0000000001', '-10', '2026-05-01T12:00:00', '2026-02-30T00:00:00Z']],
  ['--to', 'TIME_INVALID', ['', '10m', '1e9', '99999999999999999999999']],
  ['--interval', 'TIME_INVALID', ['', '..', '5', '5..x', '-10..']],
  ['--snap', 'REQUEST_INVALID', ['', '-1', '1.5', '4294967296', '10k']],
  ['--count', 'REQUEST_INVALID', ['', '-1', 'all', '18446744073709551616']],
  ['--max-bytes', 'REQUEST_INVALID', ['', '-1', '10XB', '1.5MB']],
  ['--max-seconds', 'REQUEST_INVALID', ['', '-1', '10s', '9223372037']],
  ['--format', 'REQUEST_INVALID', ['', 'pcap', 'PCAP_US']],
  ['--output', 'OUTPUT_INVALID', ['', 'a\0b']],
];

describe('export', () => {
  for (const [flag, code, values] of BAD) {
    it.each(values)(`${flag} refuses %j`, (value) => {
      let error: unknown;
      try {
        read('a.pcap', `${flag}=${value}`);
      } catch (thrown) {
        error = thrown;
      }
      expect(error, 'it was accepted').toBeDefined();
      expect(coded(error).code).toBe(code);
      expect(coded(error).message).toContain(flag);
    });
  }
  it.each([
    [[]],
    [['']],
    [['-', 'a.pcap']],
    [['a.pcap', '--bogus']],
    [['a.pcap', '-o']],
    [['a.pcap', '-o', '--json']],
    [['a', '-c', '1', '-c', '2']],
    [['a', '--json=1']],
  ])('refuses %j', (args) => {
    expect(() => read(...args)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
  it('takes all flags, with filters and intervals repeated', () => {
    const given = read(
      'a',
      'b',
      '-f',
      'ip',
      '-f',
      'tcp',
      '--steel',
      'vlan.id == 5',
      '-Y',
      'http',
      '--context',
      '60',
      '--from',
      '-10m',
      '--interval',
      '1..2',
      '--interval',
      '3..',
      '-s',
      '96',
      '-c',
      '5',
      '--max-bytes',
      '1MiB',
      '--max-seconds',
      '2',
      '-F',
      'pcapng_ns',
      '-o',
      'x',
      '--json',
    );
    expect(given).toMatchObject({
      sources: ['a', 'b'],
      filters: ['ip', 'tcp', { language: 'steelfilter', text: 'vlan.id == 5' }, { language: 'wireshark', text: 'http' }],
      contextNs: 60_000_000_000n,
      snapLengthBytes: 96,
      format: 'pcapng_ns',
      output: 'x',
      json: true,
      limits: { packets: 5n, capturedBytes: 1_048_576n, durationNs: 2_000_000_000n },
      outer: { start: { relativeNs: -600_000_000_000n }, end: null },
    });
    expect(given.intervals.map(({ start, end }) => [start, end])).toEqual([
      [{ ns: 1_000_000_000n }, { ns: 2_000_000_000n }],
      [{ ns: 3_000_000_000n }, null],
    ]);
  });
});
