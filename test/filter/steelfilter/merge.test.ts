/** Merging changes how a predicate is written, and never what it means: the agreement tests hold that. */
import { describe, expect, it } from 'vitest';
import { mergeComparisons } from '../../../src/filter/predicate/merge.js';
import { printPredicate } from '../../../src/filter/predicate/predicate.js';
import { readSteelfilter } from '../../../src/filter/steelfilter/steelfilter.js';

describe('comparisons of one field', () => {
  it.each([
    ['tcp.port == 80 or (tcp.port == 81 or tcp.port == 443)', 'tcp port in 80..81, 443'],
    ['tcp.port == 80 or udp.port == 80 or tcp.port == 90', '(tcp port in 80, 90 or udp port in 80)'],
    ['tcp.port == 80 or src_tcp.port == 81', '(tcp port in 80 or tcp source port in 81)'],
    ['tcp.port == 80 and tcp.port == 81', '(tcp port in 80 and tcp port in 81)'],
    ['ip.addr == 10.0.0.1 or tcp.ip == 10.0.0.1 or ip.addr == ::1', '(address in 10.0.0.1/32, 0:0:0:0:0:0:0:1/128 or tcp address in 10.0.0.1/32)'],
    ['not vlan.id == 1 and not vlan.id == 2', 'not vlan in 1..2'],
    ['vlan.id != 1 and vlan.id != 9', '(vlan in 0..4095 and vlan in 0..4095 and not vlan in 1, 9)'],
    ['not (ip.proto == 6 or ip.proto == 17)', 'not protocol in 6, 17'],
    ['eth.addr == 02:00:00:00:00:01 || eth.addr == 02:00:00:00:00:02', 'mac in 02:00:00:00:00:01/48, 02:00:00:00:00:02/48'],
  ])('%s', (text, wanted) => expect(printPredicate(mergeComparisons(readSteelfilter(text)))).toBe(wanted));
});
