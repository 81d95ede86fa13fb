/** The commands in this process, with streams of their own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fail, oneLine } from '../../src/cli/fail.js';
import { SpillwayError } from '../../src/errors.js';
import { NgBlocks, payload, pcapHeader } from '../support/build.js';
import { readCapture } from '../support/reader.js';
import { temporaryFolder } from '../support/temporary.js';
import { expectSentence, run, seconds } from './support.js';

const folder = temporaryFolder();
const ten = folder.write('ten.pcap', seconds(10));
const out = join(folder.path, 'out');
const times = (path: string): number[] =>
  readCapture(readFileSync(path)).packets.map(({ timeNs }) => Number(timeNs! / 1_000_000_000n) - 1_700_000_000);

describe('the front door', () => {
  it('tells the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await run(['--version'])).toEqual({ exit: 0, stdout: `spillway ${version}\n`, stderr: '' });
  });

  it.each(['export', 'info', 'filter', 'users', 'tls', 'serve'])('teaches %s', async (command) => {
    const help = await run([command, '--help']);
    expect(help).toMatchObject({ exit: 0, stderr: '' });
    expect(help.stdout).toMatch(new RegExp(`^Usage: spillway ${command} `));
    for (const part of ['Examples:', 'Exit codes:']) expect(help.stdout).toContain(part);
    expect(await run(['help', command])).toEqual(help);
    expect((await run(['--help'])).stdout).toContain(`\n  ${command}`);
    for (const line of help.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it.each([
    [[], 'a command is missing'],
    [['exprt'], 'did you mean export?'],
    [['constructor'], 'unknown command'],
    [['--versio'], 'unknown command'],
    [['info'], 'SOURCE is missing'],
    [['info', 'a', 'b'], 'unexpected "b"'],
    [['filter'], 'EXPR is missing'],
    [['filter', '--link-type', 'LINUX_SLL3', 'tcp'], 'did you mean LINUX_SLL'],
    [['filter', '--link-type', '65536', 'tcp'], 'is no link type'],
    [['serve', 'x'], 'unexpected "x"'],
    [['serve', '--port', '65536'], '--port'],
    [['serve', '--port', 'http'], '--port'],
    [['serve', '--data='], '--data'],
    [['serve', '--log-level', 'loud'], '--log-level'],
    [['export', '-', 'a.pcap'], 'standard input'],
  ])('refuses %j', async (args, why) => {
    const { exit, stdout, stderr } = await run(args);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expectSentence(stderr, 'REQUEST_INVALID');
    expect(stderr).toContain(why);
  });
});

describe('sentences', () => {
  it('stand on one line and steer no terminal', () => {
    expect(oneLine(' a\n  b\u001b[31m\tc\r\n\u009b ')).toBe('a; b\\x1b[31m\\x09c; \\x9b');
  });

  it('of an unknown failure have a code and no stack', async () => {
    const written: string[] = [];
    const io = { stderr: { write: (text: string) => void written.push(text) } } as never;
    expect(fail(new TypeError('x is not\na function'), io)).toBe(2);
    expect(written).toEqual(['spillway: x is not; a function [INTERNAL]\n']);
    expect(fail(new SpillwayError('CLIENT_LEFT', 'gone'), io)).toBe(2);
    expect(written).toHaveLength(1);
  });

  it('hold names that steer terminals harmlessly', async () => {
    const { stderr } = await run(['info', 'no\u001b]0;x\u0007such']);
    expectSentence(stderr, 'SOURCE_NOT_FOUND');
    expect(stderr).toContain('no\\x1b]0;x\\x07such');
  });
});

describe('terminals', () => {
  it('get no capture', async () => {
    const { exit, stdout, stderr } = await run(['export', ten], { stdoutIsTerminal: true });
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expectSentence(stderr, 'OUTPUT_INVALID');
  });

  it('give no capture', async () => {
    for (const command of ['export', 'info']) expectSentence((await run([command, '-'], { stdinIsTerminal: true })).stderr, 'REQUEST_INVALID');
  });

  it('see a summary at the end', async () => {
    const { stderr } = await run(['export', ten, '-c', '3', '-o', out], { stderrIsTerminal: true });
    expect(stderr).toMatch(/(^|\u001b\[K)3 of \d+ packets \(252 B\) to .*out in \d+\.\d\d s.*, stopped by the limit on packets\n$/);
    expect((await run(['export', ten, '-o', out])).stderr).toBe('');
  });
});

describe('export', () => {
  it.each([
    [[], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    [
      ['--from', '1700000003'],
      [3, 4, 5, 6, 7, 8, 9],
    ],
    [
      ['--to', '2023-11-14T22:13:23Z'],
      [0, 1, 2],
    ],
    [
      ['--from', '-2s'],
      [7, 8, 9],
    ],
    [
      ['--from', '-2s', '--to', '-0s'],
      [7, 8],
    ],
    [
      ['--interval', '1700000001..1700000003', '--interval', '-1s..'],
      [1, 2, 8, 9],
    ],
    [
      ['--interval', '1700000001..1700000003', '--interval', '-1s..', '--from', '1700000002', '--to', '-0s'],
      [2, 8],
    ],
    [['--interval', '1700000001..1700000003', '--from', '1700000005'], []],
    [['--from', '1700000004', '--to', '1700000004'], []],
    [
      ['-c', '4'],
      [0, 1, 2, 3],
    ],
    [
      ['--max-seconds', '2'],
      [0, 1],
    ],
    [
      ['--max-bytes', '190'],
      [0, 1, 2],
    ],
    [
      ['--max-bytes', '20', '-s', '10'],
      [0, 1],
    ],
  ])('%j', async (args, expected) => {
    expect(await run(['export', ten, ...args, '-o', out])).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(times(out)).toEqual(expected);
  });

  it('takes relative times from the last packet of all sources', async () => {
    const later = folder.write('later.pcap', Buffer.concat([pcapHeader(), seconds(20).subarray(24 + 15 * 76)]));
    await run(['export', later, ten, '--from', '-5s', '-o', out]);
    expect(times(out)).toEqual([15, 16, 17, 18, 19]);
    await run(['export', later, ten, '--from', '-11s', '-o', out]);
    expect(times(out)).toEqual([8, 9, 15, 16, 17, 18, 19]);
  });

  it('makes an empty capture of one without packets, also relative to its last', async () => {
    const none = folder.write('none.pcap', pcapHeader());
    expect(await run(['export', none, '--from', '-10m', '-o', out])).toMatchObject({ exit: 0, stderr: '' });
    expect(times(out)).toEqual([]);
  });

  it('refuses relative times on standard input', async () => {
    const { exit, stderr } = await run(['export', '-', '--from', '-10s', '-o', out]);
    expect(exit).toBe(1);
    expectSentence(stderr, 'TIME_INVALID');
  });

  it('finds sources and output from the working folder', async () => {
    expect(await run(['export', 'ten.pcap', '-c', '1', '-o', 'here'], { cwd: folder.path })).toMatchObject({ exit: 0 });
    expect(times(join(folder.path, 'here'))).toEqual([0]);
  });

  it('prints the receipt with --json', async () => {
    const { stdout, stderr } = await run(['export', ten, '-c', '2', '-s', '10', '--json', '-o', out]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      packets_exported: 2,
      bytes_exported: 24 + 2 * 26,
      captured_bytes_exported: 20,
      packets_cut: 2,
      truncated: true,
      stopped_by: 'packets',
      exported_range: { first: '1700000000.000000000', last: '1700000001.000000000' },
      damage: [],
    });
    expect(stdout.trimEnd()).not.toContain('\n');
  });

  it('is cancelled by a signal, with the exit code of the signal', async () => {
    const signal = AbortSignal.abort({ signal: 'SIGTERM', exitCode: 143, workLeft: false });
    const { exit, stderr } = await run(['export', ten, '-o', join(folder.path, 'never')], { signal });
    expect(exit).toBe(143);
    expectSentence(stderr, 'CANCELLED');
  });
});

describe('info', () => {
  it('prints a line for each fact', async () => {
    const { exit, stdout } = await run(['info', ten]);
    expect(exit).toBe(0);
    const facts = Object.fromEntries(
      stdout
        .split('\n')
        .filter((line) => /^\S.*: /.test(line))
        .map((line) => line.split(/: +/, 2)),
    );
    expect(facts).toEqual({
      'File name': ten,
      'File type': 'pcap 2.4, microseconds, little-endian',
      Compression: 'none',
      Index: 'none',
      'Number of packets': '10',
      'File size': '784 bytes',
      'Data size': '600 bytes',
      'Captured size': '600 bytes',
      'Capture duration': '9.000000000 seconds',
      'First packet time': '2023-11-14T22:13:20.000000000Z (1700000000.000000000)',
      'Last packet time': '2023-11-14T22:13:29.000000000Z (1700000009.000000000)',
      Interfaces: '1',
    });
    expect(stdout).toMatch(/\n {2}0: EN10MB \(1\), snap length 262144, 10\^6 ticks a second, 10 packets\n$/);
  });

  it('tells the interfaces of a PCAPNG file, and keeps their names from steering the terminal', async () => {
    const ng = new NgBlocks(true);
    const packet = ng.enhanced({ ticks: 1024n, data: payload(30), wirelen: 90 });
    const interfaces = [ng.interface({ linkType: 113, resolution: 0x8a, name: 'eth\u001b[0m' }), ng.interface({ linkType: 999, offset: -5n })];
    const path = folder.write('ng.pcapng', Buffer.concat([ng.section(), ...interfaces, packet, ng.simple(payload(20))]));
    const { stdout } = await run(['info', path]);
    expect(stdout).toContain('pcapng 1.0, 1 section, big-endian');
    expect(stdout).toMatch(/Data size: +110 bytes\nCaptured size: +50 bytes\nCapture duration: +0\.000000000 seconds\n/);
    expect(stdout).toMatch(/Packets without time: +1\n/);
    expect(stdout).toContain('  0: LINUX_SLL (113), no snap length, 2^10 ticks a second, 2 packets, eth\\x1b[0m\n');
    expect(stdout).toContain('  1: LINKTYPE_999 (999), no snap length, 10^6 ticks a second, times -5 s off, 0 packets\n');
    const json = JSON.parse((await run(['info', path, '--json'])).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({ packets: 2, wire_bytes: 110, captured_bytes: 50, min_time: '1.000000000', packets_without_time: 1, index: null });
    expect(json['interfaces']).toMatchObject([{ link_type: 113, ticks_per_second: '2^10', packets: 2 }, { offset_seconds: -5 }]);
  });

  it('says what it does not know', async () => {
    const { exit, stdout } = await run(['info', folder.write('none.pcap', pcapHeader())]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/Capture duration: +not known\nFirst packet time: +no packet has a time\n/);
  });
});

describe('filter', () => {
  it('shows the program, for the link type asked for', async () => {
    const { exit, stdout, stderr } = await run(['filter', 'tcp', 'port', '443']);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toMatch(/^\(000\) ldh +\[12\]\n(\(\d{3}\) .*\n)+$/);
    for (const name of ['LINUX_SLL', 'linktype_linux_sll', '113']) {
      expect((await run(['filter', '--link-type', name, 'ip'])).stdout).toMatch(/^\(000\) ldh +\[14\]\n/);
    }
  });

  it('shows the program of a STEELFILTER', async () => {
    const { exit, stdout, stderr } = await run(['filter', '--steel', '--link-type', 'IPV4', 'src_ip.addr', '==', '10.0.0.1']);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toBe(
      ['(000) ld       [12]', '(001) jeq      #0xa000001       jt 3\tjf 2', '(002) ret      #0', '(003) ret      #262144', ''].join('\n'),
    );
    expect((await run(['filter', '--steel', 'tcp.port == 1 and udp.port == 1'])).stderr).toBe(
      'spillway: warning: the expression rejects all packets\n',
    );
  });

  it.each([
    ['FILTER_INVALID', ['--steel', 'tcp port 80']],
    ['FILTER_LINK_TYPE', ['--steel', '--link-type', 'IEEE802_11', 'vlan.id == 1']],
    ['FILTER_TOO_COMPLEX', ['--steel', `${'('.repeat(200)}vlan.id == 1${')'.repeat(200)}`]],
    ['FILTER_INVALID', ['tcp prt 80']],
    ['FILTER_INVALID', ['(']],
    ['FILTER_LINK_TYPE', ['--link-type', 'RAW', 'ether', 'host', '0:1:2:3:4:5']],
    ['FILTER_TOO_COMPLEX', [Array.from({ length: 40_000 }, () => 'ip').join(' or ')]],
  ])('%s', async (code, args) => {
    const { exit, stdout, stderr } = await run(['filter', ...args]);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expectSentence(stderr, code);
  });

  it('warns where no packet can match', async () => {
    const { exit, stdout, stderr } = await run(['filter', 'ip and ip6']);
    expect(exit).toBe(0);
    expect(stderr).toBe('spillway: warning: the expression rejects all packets\n');
    expect(stdout).toBe('(000) ret      #0\n');
  });
});
