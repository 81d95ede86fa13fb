/** Display filter texts: which are surely wrong, and where; which are translated, and which are for tshark. */
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../../../src/errors.js';
import { checkWireshark, translateWireshark } from '../../../src/filter/wireshark/wireshark.js';

/** Code and column of the refusal. */
function refusal(text: string): string {
  try {
    checkWireshark(text);
  } catch (error) {
    if (error instanceof SpillwayError) return `${error.code} ${error.metrics['column'] ?? ''}`.trim();
    throw error;
  }
  return 'fine';
}

describe('a text is refused', () => {
  it.each([
    ['', 'FILTER_INVALID 1'],
    [' \t\r\n', 'FILTER_INVALID 1'],
    ['ip\0', 'FILTER_INVALID 3'],
    ['\x1b[2J', 'FILTER_INVALID 1'],
    ['http.host == "a\x07b"', 'FILTER_INVALID 16'],
    ['ip\x7f', 'FILTER_INVALID 3'],
    ['http.host == "a', 'FILTER_INVALID 14'],
    ['http.host == "a\\"', 'FILTER_INVALID 14'],
    ["frame contains 'a", 'FILTER_INVALID 16'],
    ['(tcp', 'FILTER_INVALID 1'],
    ['tcp)', 'FILTER_INVALID 4'],
    ['tcp.port in {80', 'FILTER_INVALID 13'],
    ['tcp.port in {80)', 'FILTER_INVALID 16'],
    ['(ip) or (tcp or (udp)', 'FILTER_INVALID 9'],
    ['count(tcp', 'FILTER_INVALID 6'],
    ['"😀" == (', 'FILTER_INVALID 8'],
    ['('.repeat(101), 'FILTER_TOO_COMPLEX 101'],
    [`${'('.repeat(101)}ip${')'.repeat(101)}`, 'FILTER_TOO_COMPLEX 101'],
    ['('.repeat(50_000) + ')'.repeat(10_000), 'FILTER_TOO_COMPLEX 101'],
    ['('.repeat(100_000), 'FILTER_TOO_COMPLEX'],
    ['a'.repeat((64 << 10) + 1), 'FILTER_TOO_COMPLEX'],
    ['x'.repeat(1 << 20), 'FILTER_TOO_COMPLEX'],
  ])('%#', (text, wanted) => expect(refusal(text)).toBe(wanted));
});

describe('a text may be fine, for all that is known here', () => {
  it.each([
    '-X lua_script:/tmp/x.lua',
    '$(id)',
    'http.host matches "[)]("',
    "frame contains '('",
    'ip.addr in {1.1.1.1}',
    '{1} == {1}',
    'r"\\d(" ~ "a"',
  ])('%s', (text) => expect(refusal(text)).toBe('fine'));
});

describe('a text is translated', () => {
  it.each([
    'ip',
    'frame.len > 0x40',
    'frame.len in {60 .. 70, 1514}',
    'tcp.port==80||udp.port==53',
    'tcp.port in {80..81}',
    'not not ip.addr != 10.0.0.1/8',
    'ip.addr in {10.0.0.5 .. 10.0.0.9 , 10.0.0.1..10.0.0.1}',
    'any ip.addr == 10.0.0.1',
    'all tcp.port > 1024',
    'ipv6.addr == fe80::/10',
    'ipv6.addr < ff02::1',
    'eth.src[0:3] == 08:00:27',
    'eth.dst[0] & 1',
    'ip.src[0] == 0a',
    'frame[12:2] == 08:00',
    'tcp.flags & 0x0F == 8',
    'tcp.flags.syn == "Set"',
    'tcp.srcport > tcp.dstport',
    'tcp[13] & 0x02',
    'ip.ttl ne 0100',
    'tcp.port !== 80',
    'vlan.id === 5',
    'arp.src.proto_ipv4 == 10.0.0.0/8',
    '!'.repeat(1000) + 'ip',
    '('.repeat(100) + 'ip' + ')'.repeat(100),
  ])('%.60s', (text) => expect(translateWireshark(text, 1)).not.toBe(null));
});

describe('a text is for tshark', () => {
  it.each([
    'http',
    'frame.number == 1',
    'tcp.stream == 0',
    'tcp.port == 65536',
    'tcp.port == -1',
    'tcp.port == abc',
    'tcp.port == "80"',
    'tcp.port == 080',
    'tcp.port in {}',
    'tcp.port in {80 81}',
    'tcp.port in {5 .. 2}',
    'tcp.port in {80...81}',
    'tcp.port not in {80}',
    'tcp.port ~= 80',
    'tcp.port == 80 81',
    'tcp.port == 80 == 81',
    '80 == tcp.port',
    'ip.ttl == 256',
    'ip.addr == 10.0.0.01',
    'ip.addr == 10.0.0.1/33',
    'ip.addr > 10.0.0.0/8',
    'ip.addr == host',
    'eth.src == 02:00',
    'eth.src == 020000000001',
    'eth.src[0:3] == 08:00',
    'eth.src[6] == 08',
    'eth.src[-1] == 08',
    'eth.src[0] == ee',
    'tcp.flags.syn == 2',
    'tcp.flags.syn == "set"',
    'frame contains "HTTP"',
    'ip.host == "10.0.0.1"',
    'count(ip.addr) > 2',
    'ip.len - 20 > 500',
    'ip.addr#2 == 10.0.0.1',
    'TCP',
    'tcp AND ip',
    'tcp.port EQ 80',
    'any tcp.port != 80',
    'ip == 10.0.0.1',
    'and tcp',
    'tcp and',
    'tcp.flags.syn == 1 tcp',
    'ip.src == ip.dst',
  ])('%s', (text) => expect(translateWireshark(text, 1)).toBe(null));

  it('where the link type is not known, or says nothing of headers', () => {
    expect(translateWireshark('ip', 105)).toBe(null);
    expect(translateWireshark('frame.len > 5', 105)).not.toBe(null);
    expect(translateWireshark('frame.len > 5', 147)).toBe(null);
    expect(translateWireshark('frame[0:2] == 45:00', 101)).toBe(null);
  });

  it('where a field that packets of the link type never have is compared with nonsense', () => {
    expect(translateWireshark('ipv6 or ip.addr == abc', 229)).toBe(null);
    expect(translateWireshark('ipv6 or ip.addr == 10.0.0.1', 229)).not.toBe(null);
  });
});

describe('a long text', () => {
  it.each([
    ['or-ed hosts', Array.from({ length: 2000 }, (_, i) => `ip.addr == 10.0.${i >> 8}.${i & 255}`).join(' or ')],
    ['refused hosts', Array.from({ length: 2000 }, (_, i) => `ip.addr != 10.0.${i >> 8}.${i & 255}`).join(' and ')],
    ['different fields', Array.from({ length: 1500 }, (_, i) => `(tcp.port == ${i} and ip.ttl == ${i % 256})`).join(' or ')],
    ['negations', `${'not '.repeat(16_000)}ip`],
  ])('is done with soon: %s', (_, text) => {
    const { user } = process.cpuUsage();
    translateWireshark(text, 1);
    expect((process.cpuUsage().user - user) / 1000).toBeLessThan(1500);
  });
});
