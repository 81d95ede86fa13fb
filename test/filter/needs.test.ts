/** What an index is asked, as people read it. */
import { expect, it } from 'vitest';
import { compileText, type FilterText } from '../../src/filter/languages.js';
import { needsText } from '../../src/filter/needs.js';

const ETHERNET = 1;
const steel = (text: string): FilterText => ({ language: 'steelfilter', text });

it.each<[FilterText, string[]]>([
  ['', []],
  ['less 100', []],
  ['tcp port 443', ['port 443', 'IP protocol 6']],
  ['port 53 or port 443', ['port 53 or port 443']],
  ['ip host 192.0.2.7', ['EtherType 0x0800', 'IPv4 address 192.0.2.7']],
  ['net 10.0.0.0/8', ['IPv4 address 10.0.0.0 to 10.255.255.255']],
  ['ether host 00:1b:21:3c:9d:f8', ['MAC address 00:1b:21:3c:9d:f8']],
  ['vlan 77', ['VLAN 77']],
  ['tcp portrange 80-90', ['IP protocol 6', 'port 80 to 90']],
  ['ip and ip6', ['nothing: no packet can match']],
])('%j', async (filter, expected) => {
  const { code } = await compileText(filter, ETHERNET);
  const told = needsText(code, ETHERNET);
  for (const each of expected) expect(told).toContain(each);
  if (expected.length === 0) expect(told).toEqual([]);
});

it('tells an IPv6 address by its hash', async () => {
  const { code } = await compileText('ip6 host 2001:db8::1', ETHERNET);
  expect(needsText(code, ETHERNET)).toContainEqual(expect.stringMatching(/^IPv6 address, by its hash [0-9a-f]{16}$/));
});

it.each([
  [
    'udp.port == 53',
    [
      'IP protocol 0 or IP protocol 43 to 44 or IP protocol 60 or port 53',
      'IP protocol 0 or IP protocol 17 or IP protocol 43 to 44 or IP protocol 60',
    ],
  ],
  ['tcp.port > 1023', ['IP protocol 0 or IP protocol 6 or IP protocol 43 to 44 or IP protocol 60']],
])('of %s, IPv6 packets with extension headers are asked for, too', async (text, expected) => {
  const { code } = await compileText(steel(text), ETHERNET);
  expect(needsText(code, ETHERNET)).toEqual(expected);
});
