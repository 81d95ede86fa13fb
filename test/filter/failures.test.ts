import { describe, expect, it } from 'vitest';
import { failureOf, refuseBeforehand, setupFailure, speaksOfLinkType } from '../../src/filter/failures.js';

const request = { text: 'vlan', linkType: 113, snapLengthBytes: 262144, optimise: true };
const answer = (status: 'refused' | 'tooComplex' | 'failed' | 'noLibpcap' | 'versionMismatch', text: string) => ({
  id: 1,
  status,
  rejectsAll: false,
  payload: Buffer.from(text),
});

describe('what libpcap says', () => {
  it.each([
    'no VLAN support for Linux cooked v1',
    'USB link-layer type filtering not implemented',
    'unknown data link type 5000 (min 104, max 289)',
    'inbound/outbound not supported on Ethernet when reading savefiles',
    "'fisu' supported only on MTP2",
    'ifname supported only on PF linktype',
    "'addr1' and 'address1' are only supported on 802.11",
    'frame direction supported only with 802.11 headers',
    "'llc' not supported for Raw IP",
    "'protochain' not supported with variable length headers",
    'not a broadcast link',
    'only ethernet/FDDI/token ring/802.11/ATM LANE/Fibre Channel supports link-level host name',
    'link-layer multicast filters supported only on ethernet/FDDI/token ring/ARCNET/802.11/ATM LANE/Fibre Channel',
  ])('is about the link type: %s', (text) => {
    expect(speaksOfLinkType(text)).toBe(true);
    expect(failureOf(answer('refused', text), request)).toMatchObject({
      code: 'FILTER_LINK_TYPE',
      message: `the filter "vlan" does not fit link type LINUX_SLL: ${text}`,
      metrics: { libpcap: text, link_type: 'LINUX_SLL' },
    });
  });

  it.each([
    "can't parse filter expression: syntax error",
    "unknown host 'not supported on earth'",
    "netmask not known, so 'ip broadcast' not supported",
    "'clnp proto' is not supported",
    'AppleTalk host filtering not implemented',
    'only link-layer/IP broadcast filters supported',
    "'gateway' not supported in this configuration",
    'unknown PF reason "supported only on"',
  ])('is about the text itself: %s', (text) => {
    expect(failureOf(answer('refused', text), request)).toMatchObject({
      code: 'FILTER_INVALID',
      message: `the filter "vlan" is not valid: ${text}`,
      metrics: { libpcap: text },
    });
  });

  it('reaches no terminal with control characters, and long filters are quoted in part', () => {
    const error = failureOf(answer('refused', "unknown host '\u001b[2J'"), { ...request, text: `\u001b]0;${'x'.repeat(500)}` });
    expect(error.message).toMatch(/^the filter "\\x1b\]0;x{76}…" is not valid: unknown host '\\x1b\[2J'$/);
  });
});

describe('other failures', () => {
  it('are coded', () => {
    expect(failureOf(answer('tooComplex', 'libpcap needs more'), request)).toMatchObject({
      code: 'FILTER_TOO_COMPLEX',
      message: 'the filter "vlan" is too complex: libpcap needs more',
    });
    expect(failureOf(answer('failed', 'no process'), request).code).toBe('INTERNAL');
    expect(setupFailure(answer('noLibpcap', 'x: cannot open'), '/p', '1')).toMatchObject({
      code: 'SETUP_INCOMPLETE',
      message: expect.stringContaining('apt-get install libpcap0.8') as string,
      metrics: { loader: 'x: cannot open' },
    });
    expect(setupFailure(answer('versionMismatch', '0.9'), '/p', '1').message).toMatch(/\/p is of version 0\.9, spillway of 1/);
    expect(setupFailure(answer('failed', 'linked wrongly'), '/p', '1').code).toBe('SETUP_INCOMPLETE');
  });
});

describe('before libpcap is asked', () => {
  it.each([
    [{ text: 'é'.repeat(32_769) }, 'FILTER_TOO_COMPLEX', '65538 bytes'],
    [{ text: 'ip \0 tcp' }, 'FILTER_INVALID', 'column 4'],
    [{ linkType: -1 }, 'FILTER_LINK_TYPE', '-1'],
    [{ linkType: 65_536 }, 'FILTER_LINK_TYPE', '65536'],
    [{ linkType: 1.5 }, 'FILTER_LINK_TYPE', '1.5'],
    [{ linkType: NaN }, 'FILTER_LINK_TYPE', 'NaN'],
    [{ snapLengthBytes: 0 }, 'REQUEST_INVALID', '0'],
    [{ snapLengthBytes: 2 ** 31 }, 'REQUEST_INVALID', '2147483648'],
  ])('%j is refused', (change, code, part) => {
    const error = refuseBeforehand({ ...request, ...change });
    expect(error?.code).toBe(code);
    expect(error?.message).toContain(part);
  });

  it('nothing else is', () => {
    expect(refuseBeforehand({ ...request, text: '' })).toBeUndefined();
    expect(refuseBeforehand({ ...request, text: 'x'.repeat(65_536), linkType: 65_535, snapLengthBytes: 1 })).toBeUndefined();
  });
});
