import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { FilterCompiler } from '../../src/filter/compile.js';
import { disassemble } from '../../src/filter/disassemble.js';
import { linkTypeNumber } from '../../src/filter/linktypes.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { program } from './program.js';

describe('disassemble', () => {
  it.each([
    [0x00, 0x1234, 'ld       #0x1234'],
    [0x01, 0x1234, 'ldx      #0x1234'],
    [0x02, 3, 'st       M[3]'],
    [0x03, 3, 'stx      M[3]'],
    [0x04, 0xffffffff, 'add      #-1'],
    [0x07, 0, 'tax      '],
    [0x0c, 0, 'add      x'],
    [0x16, 0, 'ret      '],
    [0x20, 12, 'ld       [12]'],
    [0x28, 0xfffff004, 'ldh      [type]'],
    [0x30, 0xfffff03c, 'ldb      [vlan_tpid]'],
    [0x20, 0xfffff001, 'ld       [-4095]'],
    [0x20, 0xfffff040, 'ld       [-4032]'],
    [0x40, 0xfffff000, 'ld       [x + -4096]'],
    [0x50, 14, 'ldb      [x + 14]'],
    [0x60, 15, 'ld       M[15]'],
    [0x80, 99, 'ld       #pktlen'],
    [0x84, 0, 'neg      '],
    [0x87, 0, 'txa      '],
    [0x94, 7, 'mod      #7'],
    [0x9c, 7, 'mod      x'],
    [0xa4, 0xff, 'xor      #0xff'],
    [0xac, 0, 'xor      x'],
    [0xb1, 14, 'ldxb     4*([14]&0xf)'],
    [0xff, 9, 'unimp    0xff'],
    [0x06, 262144, 'ret      #262144'],
    [0x06, 0x80000000, 'ret      #-2147483648'],
  ])('code %i', (code, k, text) => {
    expect(disassemble(program([code, 3, 4, k]))).toEqual([`(000) ${text}`]);
  });

  it('shows where jumps lead', () => {
    expect(disassemble(program([0x05, 0, 0, 4], [0x05, 0, 0, 0xffffffff], [0x15, 3, 255, 0x800], [0x1d, 0, 1, 9], [0x45, 1, 2, 0x1fff]))).toEqual([
      '(000) ja       5',
      '(001) ja       1',
      '(002) jeq      #0x800           jt 6\tjf 258',
      '(003) jeq      x                jt 4\tjf 5',
      '(004) jset     #0x1fff          jt 6\tjf 7',
    ]);
  });

  it('shows nothing of an empty program and refuses a cut one', () => {
    expect(disassemble(new Uint8Array(0))).toEqual([]);
    expect(() => disassemble(new Uint8Array(12))).toThrow(RangeError);
  });

  it('reads a program that begins inside its buffer', () => {
    const whole = program([0x06, 0, 0, 1], [0x06, 0, 0, 2]);
    expect(disassemble(whole.subarray(8))).toEqual(['(000) ret      #2']);
  });
});

describe.runIf(requireOrSkip('tcpdump', hasProgram('tcpdump')))('disassemble and tcpdump -d', () => {
  const compiler = new FilterCompiler();
  afterAll(() => compiler.close());

  it.each([
    ['EN10MB', ''],
    ['EN10MB', 'ip'],
    ['EN10MB', 'tcp port 443'],
    ['EN10MB', 'host 192.0.2.1 and port 53'],
    ['EN10MB', 'ip6 host 2001:db8::1 or arp'],
    ['EN10MB', 'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0'],
    ['EN10MB', 'ip[0] & 0xf != 5 and udp[8:4] = 0x12345678'],
    ['EN10MB', 'vlan 7 and mpls 5'],
    ['EN10MB', 'pppoes 3 and ip'],
    ['EN10MB', 'len > 100 and len % 7 = 3'],
    ['EN10MB', '(ip[2:2] - ip[6:2]) * 3 / 2 ^ 0xff << 2 >= 77'],
    ['EN10MB', 'ether[0] & 1 = 0 and ip[16] >= 224'],
    ['EN10MB', 'ip protochain 6'],
    ['EN10MB', 'ip6 protochain 17'],
    ['EN10MB', 'portrange 6000-6008 or sctp'],
    ['EN10MB', 'geneve 9 and tcp'],
    ['RAW', 'udp and net 10.0.0.0/8'],
    ['LINUX_SLL', 'inbound and tcp'],
    ['LINUX_SLL2', 'ifindex 3'],
    ['IEEE802_11_RADIO', 'type mgt subtype beacon or ip'],
    ['NULL', 'icmp'],
    ['PPP', 'ip6 and tcp dst port 22'],
    ['FRELAY', 'ip'],
    ['MTP2', 'sio 3'],
  ])('%s: %s', async (linkType, filter) => {
    const expected = execFileSync('tcpdump', ['-y', linkType, '-d', filter], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const { code, instructions } = await compiler.compile(filter, linkTypeNumber(linkType) ?? -1);
    const lines = disassemble(code);
    expect(lines).toEqual(expected.trimEnd().split('\n'));
    expect(lines).toHaveLength(instructions);
  });
});
