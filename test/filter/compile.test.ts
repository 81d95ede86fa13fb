import { afterAll, describe, expect, it } from 'vitest';
import { compileFilter, FilterCompiler } from '../../src/filter/compile.js';
import { disassemble } from '../../src/filter/disassemble.js';

const ETHERNET = 1;
const RAW = 101;
const compiler = new FilterCompiler();
afterAll(() => compiler.close());

const listing = async (text: string, linkType = ETHERNET) => disassemble((await compiler.compile(text, linkType)).code).join('\n');
const failure = (text: string, linkType = ETHERNET) => compiler.compile(text, linkType).catch((error: unknown) => error);

describe('a filter', () => {
  it('becomes a program', async () => {
    const { code, instructions, rejectsAll } = await compileFilter('ip', ETHERNET);
    expect(disassemble(code)).toEqual([
      '(000) ldh      [12]',
      '(001) jeq      #0x800           jt 2\tjf 3',
      '(002) ret      #262144',
      '(003) ret      #0',
    ]);
    expect([instructions, rejectsAll]).toEqual([4, false]);
  });

  it('may be empty: every packet', async () => {
    expect(await listing('')).toBe('(000) ret      #262144');
    expect(await listing(' \n\t ')).toBe('(000) ret      #262144');
  });

  it('is compiled for the link type of a capture file, not for the number libpcap has for it', async () => {
    expect(await listing('ip', RAW)).toBe(await listing('ip', 12)); // 12 is libpcap's own number of RAW on Linux
    expect(await listing('ip', RAW)).not.toBe(await listing('ip'));
    expect(await listing('ip', 100)).toBe(await listing('ip', 11)); // ATM_RFC1483
    expect(await listing('ip', 106)).not.toBe(await listing('ip', RAW)); // ATM_CLIP
  });

  it('that can match nothing is accepted and says so', async () => {
    const { code, rejectsAll } = await compiler.compile('ip and ip6', ETHERNET);
    expect(disassemble(code)).toEqual(['(000) ret      #0']);
    expect(rejectsAll).toBe(true);
  });

  it('may be compiled without the optimiser, and return another length', async () => {
    const plain = await compiler.compile('tcp port 443', ETHERNET, { optimise: false });
    const optimised = await compiler.compile('tcp port 443', ETHERNET);
    expect(plain.instructions).toBeGreaterThan(optimised.instructions);
    const { code } = await compiler.compile('', ETHERNET, { snapLengthBytes: 96 });
    expect(disassemble(code)).toEqual(['(000) ret      #96']);
  });

  it('is answered with bytes of its own every time', async () => {
    const first = await compiler.compile('udp', ETHERNET);
    first.code.fill(0);
    expect(await listing('udp')).toContain('ldh      [12]');
  });
});

describe('names', () => {
  it('of ports and protocols come from the built-in tables', async () => {
    expect(await listing('tcp port http')).toBe(await listing('tcp port 80'));
    expect(await listing('port www')).toBe(await listing('tcp port 80')); // no udp in the table
    expect(await listing('tcp portrange ftp-smtp')).toBe(await listing('tcp portrange 21-25'));
    expect(await listing('portrange 21-25')).not.toBe(await listing('tcp portrange 21-25'));
    expect(await listing('udp port domain')).toBe(await listing('udp port 53'));
    expect(await listing('ip proto ospf')).toBe(await listing('ip proto 89'));
    expect(await listing('ip proto OSPFIGP')).toBe(await listing('ip proto 89'));
  });

  it("are those of the tables, not of the machine's files", async () => {
    // The usual /etc/services and /etc/protocols lack these two.
    expect(await listing('udp port vxlan')).toBe(await listing('udp port 4789'));
    expect(await listing('ip proto pgm')).toBe(await listing('ip proto 113'));
  });

  it('of ports keep to their transport', async () => {
    expect(await failure('tcp port tftp')).toMatchObject({ code: 'FILTER_INVALID', metrics: { libpcap: "port 'tftp' is udp" } });
  });

  it.each([
    ['host localhost', "unknown host 'localhost'"],
    ['host example.com', "unknown host 'example.com'"],
    ['src host \\ip', "unknown host 'ip'"],
    ['ip6 host ip6-localhost', "unknown host 'ip6-localhost'"],
    ['net loopback', "unknown network 'loopback'"],
    ['ether host gateway1', "unknown ether host 'gateway1'"],
    ['port nosuch', "unknown port 'nosuch'"],
    ['portrange nosuch-80', "unknown port in range 'nosuch-80'"],
    ['ip proto nosuch', "unknown ip proto 'nosuch'"],
    ['ip proto Ospf', "unknown ip proto 'Ospf'"],
  ])('%s is refused', async (text, libpcap) => {
    expect(await failure(text)).toMatchObject({ code: 'FILTER_INVALID', metrics: { libpcap } });
  });

  it('are not needed for addresses', async () => {
    expect(await listing('host 192.0.2.1')).toContain('#0xc0000201');
    expect(await listing('host 2001:db8::5')).toContain('#0x20010db8');
    expect(await listing('net 2001:db8::/32')).toContain('#0x20010db8');
    expect(await listing('net 10.0.0.0/8')).toContain('#0xa000000');
    expect(await listing('ether host 02:00:5e:10:00:01')).toContain('#0x5e100001');
  });
});

describe('refusals', () => {
  it.each([
    ['tcp prt 80', "can't parse filter expression: syntax error"],
    ['ip broadcast', "netmask not known, so 'ip broadcast' not supported"],
    ['port 70000', 'illegal port number 70000 > 65535'],
    ['host 1.2.3.4%eth0', "can't parse filter expression: syntax error"],
    ['(ip', "can't parse filter expression: syntax error"],
  ])('%s: not valid', async (text, libpcap) => {
    expect(await failure(text)).toMatchObject({ code: 'FILTER_INVALID', metrics: { libpcap, link_type: 'EN10MB' } });
  });

  it.each([
    ['inbound', ETHERNET, 'inbound/outbound not supported on Ethernet when reading savefiles'],
    ['ifindex 3', ETHERNET, 'ifindex not supported on Ethernet when reading savefiles'],
    ['vlan', RAW, 'no VLAN support for Raw IP'],
    ['ip', 5000, 'unknown data link type 5000 (min 104, max 289)'],
    ['', 5000, 'unknown data link type 5000 (min 104, max 289)'],
    ['ip', 147, 'DLT 147 link-layer type filtering not implemented'],
    ['type mgt', ETHERNET, '802.11 link-layer types supported only on 802.11'],
  ])('%s on %i: link type', async (text, linkType, libpcap) => {
    expect(await failure(text, linkType)).toMatchObject({ code: 'FILTER_LINK_TYPE', metrics: { libpcap } });
  });

  it('come before libpcap for what can not be sent', async () => {
    expect(await failure('ip\0')).toMatchObject({ code: 'FILTER_INVALID' });
    expect(await failure('x'.repeat(1 << 20))).toMatchObject({ code: 'FILTER_TOO_COMPLEX' });
    expect(await failure('ip', 70_000)).toMatchObject({ code: 'FILTER_LINK_TYPE' });
  });
});
