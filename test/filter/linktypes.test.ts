import { describe, expect, it } from 'vitest';
import { linkTypeName, linkTypeNumber, linkTypes } from '../../src/filter/linktypes.js';

describe('link types', () => {
  it.each([
    [0, 'NULL'],
    [1, 'EN10MB'],
    [101, 'RAW'],
    [113, 'LINUX_SLL'],
    [127, 'IEEE802_11_RADIO'],
    [147, 'USER0'],
    [162, 'USER15'],
    [276, 'LINUX_SLL2'],
    [299, 'FIRA_UCI'],
  ])('%i is %s', (number, name) => {
    expect(linkTypeName(number)).toBe(name);
    expect(linkTypeNumber(name)).toBe(number);
  });

  it('has every number and every name once, in order', () => {
    const numbers = linkTypes().map(([number]) => number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    expect(new Set(linkTypes().map(([, name]) => name)).size).toBe(numbers.length);
  });

  it('leads from every number to its name and back', () => {
    for (let number = 0; number <= 400; number += 1) expect(linkTypeNumber(linkTypeName(number))).toBe(number);
    expect(linkTypeNumber(linkTypeName(65_535))).toBe(65_535);
  });

  it('understands prefixes, any case, numbers and the names of the registry', () => {
    for (const name of ['en10mb', 'DLT_EN10MB', 'linktype_ethernet', 'Ethernet', ' 1 ']) expect(linkTypeNumber(name)).toBe(1);
    expect(linkTypeNumber('IEEE802_11_RADIOTAP')).toBe(127);
  });

  it.each(['', ' ', '-1', '65536', '100000', '1.5', '0x1', 'ETHERNET2', 'LINKTYPE_', 'toString', '1e2'])('refuses %j', (name) => {
    expect(linkTypeNumber(name)).toBeUndefined();
  });

  it("names the numbers of libpcap that are not a file's by number", () => {
    // 12 is DLT_RAW on Linux; in a file it is no link type, and RAW is 101.
    expect(linkTypeName(12)).toBe('LINKTYPE_12');
  });
});
