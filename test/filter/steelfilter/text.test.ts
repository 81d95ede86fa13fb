/** STEELFILTER texts: what they become, and what is wrong with those that are refused, and where. */
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../../../src/errors.js';
import { printPredicate } from '../../../src/filter/predicate/predicate.js';
import { COLUMNS } from '../../../src/filter/steelfilter/columns.js';
import { compileSteelfilter, readSteelfilter } from '../../../src/filter/steelfilter/steelfilter.js';

const printed = (text: string): string => printPredicate(readSteelfilter(text));
const A = 'address in 10.0.0.1/32';
const B = 'address in 10.0.0.2/32';

describe('a text', () => {
  it.each([
    ['ip.addr==10.0.0.1', A],
    ['ip.addr = 10.0.0.1', A],
    [' ip.addr == "10.0.0.1" ', A],
    ["ip.addr=='10.0.0.1'", A],
    ['ip.addr==10.0.0.1&&ip.addr==10.0.0.2', `(${A} and ${B})`],
    ['ip.addr==10.0.0.1 AND ip.addr==10.0.0.2', `(${A} and ${B})`],
    ['ip.addr==10.0.0.1||ip.addr==10.0.0.2', `(${A} or ${B})`],
    ['ip.addr==10.0.0.1\n\toR ip.addr==10.0.0.2', `(${A} or ${B})`],
    ['!ip.addr==10.0.0.1', `not ${A}`],
    ['Not(ip.addr==10.0.0.1)', `not ${A}`],
    ['not not ip.addr==10.0.0.1', `not not ${A}`],
    ['((ip.addr==10.0.0.1))', A],
    ['vlan.id==1 or vlan.id==2 and not vlan.id==3', '(vlan in 1 or (vlan in 2 and not vlan in 3))'],
    ['(vlan.id==1 or vlan.id==2) and vlan.id==3', '((vlan in 1 or vlan in 2) and vlan in 3)'],
    ['not vlan.id==1 and vlan.id==2', '(not vlan in 1 and vlan in 2)'],
    ['src_ip.addr == 10.0.0.0/8', 'source address in 10.0.0.0/8'],
    ['dst_ip.addr == 2001:db8::/32', 'destination address in 2001:db8:0:0:0:0:0:0/32'],
    ['ip.addr == ::ffff:10.0.0.1', 'address in 0:0:0:0:0:ffff:a00:1/128'],
    ['ip.addr == ::', 'address in 0:0:0:0:0:0:0:0/128'],
    ['tcp.ip == 10.0.0.1', `tcp ${A}`],
    ['cli_tcp.ip == 10.0.0.1', `tcp client ${A}`],
    ['srv_tcp.ip == 10.0.0.1', `tcp server ${A}`],
    ['tcp.port < 1024', 'tcp port in 0..1023'],
    ['tcp.port <= 1024', 'tcp port in 0..1024'],
    ['src_udp.port > 1024', 'udp source port in 1025..65535'],
    ['dst_udp.port >= 1024', 'udp destination port in 1024..65535'],
    ['cli_tcp.port = 5', 'tcp client port in 5'],
    ['srv_tcp.port = 5', 'tcp server port in 5'],
    ['ip.proto == ICMPv6', 'protocol in 58'],
    ['ip.proto == 89', 'protocol in 89'],
    ['eth.addr == 02-00-00-00-00-0A', 'mac in 02:00:00:00:00:0a/48'],
    ['src_mac.addr == 02:00:00:00:00:0a', 'source mac in 02:00:00:00:00:0a/48'],
    ['dst_mac.addr != 02:00:00:00:00:0a', '(destination mac in 00:00:00:00:00:00/0 and not destination mac in 02:00:00:00:00:0a/48)'],
    ['vlan.id != 5', '(vlan in 0..4095 and not vlan in 5)'],
    ['ip.addr != 10.0.0.1', `(address in 0.0.0.0/0, 0:0:0:0:0:0:0:0/0 and not ${A})`],
  ])('%s', (text, wanted) => expect(printed(text)).toBe(wanted));

  it('names every column', () => {
    for (const [name, { type }] of COLUMNS) {
      const value = { ip: '10.0.0.1', mac: '02:00:00:00:00:01', port: '80', protocol: '6', vlan: '5' }[type];
      for (const operator of ['==', '=', '!=']) expect(compileSteelfilter(`${name}${operator}${value}`, 1).rejectsAll, name).toBe(false);
    }
  });
});

function failure(text: string): SpillwayError {
  try {
    readSteelfilter(text);
  } catch (error) {
    if (error instanceof SpillwayError) return error;
  }
  throw new Error(`${text} is accepted`);
}

describe('refused', () => {
  it.each([
    ['', 1, 'it is empty'],
    [' \n\t ', 1, 'it is empty'],
    ['ip.addr', 8, 'it ends here, expected an operator behind ip.addr: ==, =, !=, <, <=, >, >='],
    ['ip.addr ==', 11, 'it ends here, expected a value behind =='],
    ['ip.addr == ""', 12, 'the value for ip.addr is empty: expected an IPv4 or IPv6 address'],
    ["tcp.port == ''", 13, 'the value for tcp.port is empty: expected a port from 0 to 65535'],
    ['ip.addr == )', 12, 'expected a value behind ==, not ")"'],
    ['ip.addr === 10.0.0.1', 11, 'expected a value behind =='],
    ['ip.addr == 10.0.0.1 10.0.0.2', 21, 'expected and, or, or the end, not "10.0.0.2"'],
    ['(ip.addr == 10.0.0.1', 21, 'it ends here, expected and, or, or )'],
    ['ip.addr == 10.0.0.1)', 20, 'expected and, or, or the end'],
    ['and ip.addr == 10.0.0.1', 1, 'expected a column, such as ip.addr, not "and"'],
    ['vlan.id==1 and', 15, 'it ends here, expected a column'],
    ['vlan.id==1 and or vlan.id==2', 16, 'expected a column'],
    ['()', 2, 'expected a column, such as ip.addr, not ")"'],
    ['"ip.addr" == 10.0.0.1', 1, 'expected a column'],
    ['ip.addr == "10.0.0.1', 12, 'the quotation mark " is not closed'],
    ["ip.addr == '10.0.0.1", 12, "the quotation mark ' is not closed"],
    ['vlan.id==1 & vlan.id==2', 12, 'a single & has no meaning: expected &&'],
    ['vlan.id==1 | vlan.id==2', 12, 'a single | has no meaning: expected ||'],
    ['vlan.id == 1\u0007', 13, 'the character "\\x07" has no meaning'],
    ['vlan.id == 1\0', 13, 'the character "\\x00" has no meaning'],
    ['🦀 vlan.id == 1', 1, 'the character "🦀" has no meaning'],
    ['"🦀" vlan.id', 1, 'expected a column'],
    ["vlan.id == '🦀' x", 16, 'expected and, or, or the end, not "x"'],
    ['vlan.id == 1 🦀', 14, 'has no meaning'],
    ['-x', 3, 'it ends here, expected an operator behind -x'],
    ['--help == 1', 1, 'unknown column `--help`'],
    ['app.id == 5', 1, 'unknown column `app.id`: a packet has ip.addr, src_ip.addr, dst_ip.addr, tcp.ip'],
    ['vlan.id == 1 && avg_traffic.bits > 5', 17, 'unknown column `avg_traffic.bits`: a packet has ip.addr'],
    ['host_group.id = 3', 1, 'unknown column `host_group.id`'],
    ['IP.ADDR == 10.0.0.1', 1, 'unknown column `IP.ADDR`'],
    ['constructor == 1', 1, 'unknown column `constructor`'],
    ['10.0.0.1 == ip.addr', 1, 'unknown column `10.0.0.1`'],
    ['ip.addr < 10.0.0.1', 9, '< has no meaning for ip.addr: expected ==, = or !='],
    ['eth.addr >= 02:00:00:00:00:01', 10, '>= has no meaning for eth.addr'],
    ['ip.addr == www', 12, 'wrong value for ip.addr: expected an IPv4 or IPv6 address, or a network such as 10.0.0.0/8'],
    ['ip.addr == 10.0.0', 12, 'wrong value for ip.addr'],
    ['ip.addr == 10.0.0.256', 12, 'wrong value for ip.addr'],
    ['ip.addr == 010.0.0.1', 12, 'wrong value for ip.addr'],
    ['ip.addr == 10.0.0.1/8', 12, 'wrong value for ip.addr: the address has bits behind the 8 of its prefix'],
    ['ip.addr == 2001:db8::1/64', 12, 'the address has bits behind the 64 of its prefix'],
    ['ip.addr == 10.0.0.1/33', 12, 'a prefix has at most 32 bits'],
    ['ip.addr == ::/129', 12, 'a prefix has at most 128 bits'],
    ['ip.addr == 10.0.0.0/08', 12, 'wrong value for ip.addr'],
    ['ip.addr == 10.0.0.0/', 12, 'wrong value for ip.addr'],
    ['ip.addr == 10.0.0.0/8/8', 12, 'wrong value for ip.addr'],
    ['ip.addr == 10.0.0.0/255.0.0.0', 12, 'wrong value for ip.addr'],
    ['ip.addr == " 10.0.0.1"', 12, 'wrong value for ip.addr'],
    ['ip.addr == "fe80::1%eth0"', 12, 'wrong value for ip.addr'],
    ['ip.addr == 1::2::3', 12, 'wrong value for ip.addr'],
    ['tcp.port == 65536', 13, 'wrong value for tcp.port: expected a port from 0 to 65535'],
    ['tcp.port == 080', 13, 'wrong value for tcp.port'],
    ['tcp.port == -1', 13, 'wrong value for tcp.port'],
    ['tcp.port == 0x50', 13, 'wrong value for tcp.port'],
    ['tcp.port == http', 13, 'wrong value for tcp.port'],
    ['tcp.port == 1e3', 13, 'wrong value for tcp.port'],
    ['vlan.id == 4096', 12, 'wrong value for vlan.id: expected a VLAN id from 0 to 4095'],
    ['ip.proto == 256', 13, 'wrong value for ip.proto: expected a number from 0 to 255 or one of icmp, igmp'],
    ['ip.proto == tpc', 13, 'wrong value for ip.proto'],
    ['eth.addr == 02:00:00:00:00', 13, 'wrong value for eth.addr: expected a MAC address'],
    ['eth.addr == 02:00:00-00:00:01', 13, 'wrong value for eth.addr'],
    ['eth.addr == 10.0.0.1', 13, 'wrong value for eth.addr'],
  ])('%j', (text, column, why) => {
    const { code, message, metrics } = failure(text);
    expect(code).toBe('FILTER_INVALID');
    expect(message).toContain(`is not valid at column ${column}: `);
    expect(message).toContain(why);
    expect(metrics).toEqual({ column: String(column) });
    expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});

describe('limits', () => {
  /** Of a machine that has other things to do. */
  const SLOWNESS = 5;
  const within = (ms: number, act: () => void): void => {
    const start = performance.now();
    act();
    expect(performance.now() - start).toBeLessThan(ms * SLOWNESS);
  };
  it.each([
    ['a megabyte', 'ip.addr==10.0.0.1||'.repeat(60_000), 'bytes long; at most 65536'],
    ['100,000 parentheses', '('.repeat(100_000), 'bytes long'],
    ['a hundred parentheses and one', `${'('.repeat(101)}vlan.id==1${')'.repeat(101)}`, 'more than 100 parentheses'],
    ['a hundred negations and one', `${'!'.repeat(101)}vlan.id==1`, 'more than 100 parentheses'],
    ['60,000 negations', '!'.repeat(60_000), 'more than 100 parentheses'],
  ])('refuse %s', (_, text, why) => {
    within(1000, () => expect(failure(text)).toMatchObject({ code: 'FILTER_TOO_COMPLEX', message: expect.stringContaining(why) }));
  });
  it('let a hundred pass', () => {
    expect(printed(`${'('.repeat(100)}vlan.id==1${')'.repeat(100)}`)).toBe('vlan in 1');
    expect(printed(`${'!'.repeat(100)}vlan.id==1`)).toBe(`${'not '.repeat(100)}vlan in 1`);
    expect(printed(Array.from({ length: 500 }, () => '(!vlan.id==1)').join('||'))).toContain('or');
  });
  it('let a thousand or-ed hosts pass, and what looks like them within its text', () => {
    const hosts = Array.from({ length: 1000 }, (_, i) => `ip.addr==10.${i >> 8}.${i & 255}.${i % 7}`).join(' or ');
    within(1000, () => expect(compileSteelfilter(hosts, 1).code.length / 8).toBeLessThan(10_000));
    const pairs = Array.from({ length: 400 }, (_, i) => `(src_ip.addr==10.0.${i >> 8}.${i & 255} && tcp.port==${i})`).join(' or ');
    within(1000, () => expect(compileSteelfilter(pairs, 1).code.length / 8).toBeLessThan(20_000));
  });
  it('refuse within a second what would not end', () => {
    const many = Array.from({ length: 1500 }, (_, i) => `(ip.proto>=${i % 250} && vlan.id==${i} || tcp.port==${i})`).join(' && ');
    within(1000, () => expect(() => compileSteelfilter(many, 1)).toThrow(expect.objectContaining({ code: 'FILTER_TOO_COMPLEX' })));
  });
  it('is compiled for link types whose packets are known alone', () => {
    for (const linkType of [105, 9, 147, 65535])
      expect(() => compileSteelfilter('vlan.id==1', linkType)).toThrow(
        expect.objectContaining({ code: 'FILTER_LINK_TYPE', message: expect.stringMatching(/EN10MB, LINUX_SLL/) }),
      );
  });
  it('says where no packet can match', () => {
    for (const [text, linkType] of [
      ['vlan.id==1', 101],
      ['eth.addr==02:00:00:00:00:01', 113],
      ['ip.addr==10.0.0.1', 229],
      ['ip.addr==10.0.0.1 and ip.addr==2001:db8::1', 1],
      ['tcp.port==80 and udp.port==80', 1],
      ['tcp.port < 0', 1],
      ['ip.proto == 6 and ip.proto == 17', 1],
    ] as const)
      expect(compileSteelfilter(text, linkType).rejectsAll, text).toBe(true);
  });
});
