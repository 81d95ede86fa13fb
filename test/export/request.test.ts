import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.js';
import { checkRequest, type CheckedRequest } from '../../src/export/request.js';
import type { Config, Filter } from '../../src/export/schema.js';
import { isSameButForMode, isSameMode, withDefaults } from '../../src/export/schema.js';

const config = (given: Partial<Config> = {}): Config => ({ path: 'fs/admin/x.pcap', ...given });
const NOW = 1_000_000_000_000_000_000n;
const checked = (given: Config): CheckedRequest => checkRequest(given, NOW);
const filter = (given: Partial<Filter> = {}): Filter => ({ id: 'f', type: 'BPF', value: 'tcp', ...given });

describe('a request', () => {
  it('that says nothing asks for everything, cut at 65535', () => {
    expect(checked(config())).toEqual({
      mode: 'LEGACY',
      source: { kind: 'fs', name: 'admin/x.pcap' },
      isFollowed: false,
      output: null,
      selection: {
        filters: [],
        windows: [],
        seen: { startNs: null, endNs: null },
        snapLengthBytes: 65535,
        limits: { packets: 0n, capturedBytes: 0n, durationNs: 0n },
        format: 'pcap_us',
      },
    });
  });

  it('takes filters of three languages', () => {
    const items = [filter(), filter({ type: 'STEELFILTER', value: 'vlan.id == 5' }), filter({ type: 'WIRESHARK', value: '-x' })];
    expect(checked(config({ filters: { items } })).selection.filters).toEqual([
      'tcp',
      { language: 'steelfilter', text: 'vlan.id == 5' },
      { language: 'wireshark', text: '-x' },
    ]);
  });

  it('lets tshark see the time range as a whole, and some context before it', () => {
    const given = config({ start_time: '100', end_time: '200', time_intervals: [{ start_time: '150', end_time: '160' }] });
    expect(checkRequest(given, NOW, 60).selection.seen).toEqual({ startNs: 40_000_000_000n, endNs: 200_000_000_000n });
    expect(checkRequest(config({}), NOW, 60).selection.seen).toEqual({ startNs: null, endNs: null });
  });

  it('becomes what the engine takes', () => {
    const { selection, ...rest } = checked(
      config({
        mode: 'STREAM_TO_FILE',
        output_filename: '/admin/y.pcapng',
        output_format: 'PCAPNG_NS',
        snap_length: 0,
        start_time: '1.5',
        end_time: '2',
        filters: { items: [filter(), filter({ value: 'port 53' })] },
        stop_rule: { packet_limit: 18446744073709551615n, size_limit: 7, time_limit: 4294967295 },
      }),
    );
    expect(rest).toEqual({ mode: 'STREAM_TO_FILE', source: { kind: 'fs', name: 'admin/x.pcap' }, isFollowed: false, output: '/admin/y.pcapng' });
    expect(selection).toEqual({
      filters: ['tcp', 'port 53'],
      windows: [{ startNs: 1_500_000_000n, endNs: 2_000_000_000n }],
      seen: { startNs: 1_500_000_000n, endNs: 2_000_000_000n },
      snapLengthBytes: 0,
      limits: { packets: 18446744073709551615n, capturedBytes: 7n, durationNs: 4294967295_000_000_000n },
      format: 'pcapng_ns',
    });
  });

  it('may name its source with the slash that ids of files begin with', () => {
    expect(checked(config({ path: 'fs//admin/x.pcap' })).source).toEqual({ kind: 'fs', name: 'admin/x.pcap' });
    expect(checked(config({ path: 'jobs//up' })).source).toEqual({ kind: 'jobs', name: 'up' });
    expect(checked(config({ path: 'fs/admin/deep/x y.pcap' })).source).toEqual({ kind: 'fs', name: 'admin/deep/x y.pcap' });
  });

  it('for a live stream begins now where it does not say when, and its limit on time is one of the clock', () => {
    const live = (given: Partial<Config>): CheckedRequest => checked(config({ path: 'jobs/up', mode: 'LIVE_STREAM', ...given }));
    expect(live({})).toMatchObject({ isFollowed: true, selection: { windows: [{ startNs: NOW, endNs: null }] } });
    expect(live({ start_time: '5' }).selection.windows).toEqual([{ startNs: 5_000_000_000n, endNs: null }]);
    const end = NOW + 10_000_000_000n;
    const limited = live({ stop_rule: { time_limit: 10, packet_limit: 3 } }).selection;
    expect(limited).toMatchObject({ windows: [{ startNs: NOW, endNs: end }], limits: { packets: 3n, durationNs: 0n } });
    expect(live({ end_time: '1000000002', stop_rule: { time_limit: 10 } }).selection.windows).toEqual([
      { startNs: NOW, endNs: NOW + 2_000_000_000n },
    ]);
    expect(live({ end_time: '7' }).selection.windows).toEqual([{ startNs: NOW, endNs: NOW }]);
  });

  it('of an interface is live in every mode, where it says how it ends', () => {
    const of = (given: Partial<Config>): CheckedRequest => checked(config({ path: 'interfaces/eth0', ...given }));
    expect(of({ mode: 'LIVE_STREAM' })).toMatchObject({ source: { kind: 'interfaces', name: 'eth0' }, isFollowed: true });
    expect(of({ stop_rule: { packet_limit: 1 } })).toMatchObject({ mode: 'LEGACY', isFollowed: true });
    expect(of({ end_time: '2000000000' }).selection.windows).toEqual([{ startNs: NOW, endNs: 2_000_000_000_000_000_000n }]);
  });

  it('of stored traffic goes on with nothing', () => {
    for (const path of ['fs/admin/x.pcap', 'clips/8f6e'])
      expect(checked(config({ path, mode: 'LIVE_STREAM' }))).toMatchObject({ isFollowed: false, selection: { windows: [] } });
    expect(checked(config({ path: 'jobs/up' })).isFollowed).toBe(false);
  });

  it.each<[Partial<Config>, string, string]>([
    [{ mode: 'BUFFER_STREAM', output_filename: '/admin/x' }, 'OUTPUT_INVALID', 'not BUFFER_STREAM'],
    [{ path: 'interfaces/eth0' }, 'REQUEST_INVALID', 'config.path "interfaces/eth0" is live'],
    [{ path: 'vifgs/1', start_time: '1', stop_rule: { size_limit: 0 } }, 'REQUEST_INVALID', 'config.path "vifgs/1" is live'],
    [{ path: 'jobs/a/b' }, 'SOURCE_NOT_FOUND', 'config.path "jobs/a/b"'],
    [{ path: 'tapes/1' }, 'SOURCE_NOT_FOUND', 'config.path "tapes/1"'],
    [{ path: '' }, 'SOURCE_NOT_FOUND', 'config.path ""'],
    [{ path: 'fs' }, 'SOURCE_NOT_FOUND', 'config.path "fs"'],
    [{ path: 'fs/' }, 'SOURCE_NOT_FOUND', 'config.path "fs/"'],
    [{ path: '/fs/admin/x' }, 'SOURCE_NOT_FOUND', 'config.path'],
    [{ path: 'files/admin/x' }, 'SOURCE_NOT_FOUND', 'config.path'],
    [{ mode: 'STREAM_TO_FILE' }, 'OUTPUT_INVALID', 'config.output_filename is missing'],
    [{ output_filename: '/admin/y' }, 'OUTPUT_INVALID', 'not LEGACY'],
    [{ filters: { items: [filter(), filter({ type: 'WIRESHARK', value: ' ' })] } }, 'FILTER_INVALID', 'the display filter is empty'],
    [{ filters: { items: [filter({ type: 'WIRESHARK', value: 'ip\0' })] } }, 'FILTER_INVALID', 'control character'],
    [{ filters: { items: [filter({ type: 'WIRESHARK', value: 'x'.repeat(65_537) })] } }, 'FILTER_TOO_COMPLEX', 'more than 65536'],
    [{ mode: 'LIVE_STREAM', path: 'jobs/up', filters: { items: [filter({ type: 'WIRESHARK', value: 'ip' })] } }, 'SOURCE_UNSUPPORTED', 'LIVE_STREAM'],
    [
      { filters: { items: [filter({ type: 'STEELFILTER', value: 'app.id == 1' })] } },
      'FILTER_INVALID',
      'at column 1: unknown column `app.id`: a packet has ip.addr',
    ],
    [{ filters: { items: [filter({ type: 'STEELFILTER', value: '' })] } }, 'FILTER_INVALID', 'at column 1: it is empty'],
    [{ filters: { items: Array.from({ length: LIMITS.filters + 1 }, () => filter()) } }, 'FILTER_TOO_COMPLEX', 'config.filters.items'],
    [{ start_time: 'then' }, 'TIME_INVALID', 'config.start_time'],
    [
      { time_intervals: Array.from({ length: LIMITS.timeIntervals + 1 }, () => ({ start_time: '1', end_time: '2' })) },
      'TIME_INVALID',
      'config.time_intervals',
    ],
  ])('is refused: %j', (given, code, words) => {
    expect(() => checked(config(given))).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }));
  });
});

describe('a configuration', () => {
  it('is read with its defaults, and keeps what was given', () => {
    expect(withDefaults(config({ start_time: '0', filters: { items: [filter(), filter({ context: 'USER' })] } }))).toEqual({
      path: 'fs/admin/x.pcap',
      connection_timeout_msec: 180000,
      handle_timeout_msec: 60000,
      snap_length: 65535,
      output_format: 'PCAP_US',
      start_time: '0',
      filters: { items: [{ ...filter(), context: 'NONE' }, filter({ context: 'USER' })] },
    });
    expect(withDefaults(config({ filters: {}, snap_length: 0 }))).toMatchObject({ filters: {}, snap_length: 0 });
  });

  it('is the same as what its client read back, in any order, and no other', () => {
    const given = config({ filters: { items: [filter()] }, stop_rule: { size_limit: 2n ** 60n } });
    const back = Object.fromEntries(Object.entries(withDefaults(given)).reverse()) as Config;
    expect(isSameButForMode(given, { ...back, mode: 'PREPARE' })).toBe(true);
    expect(isSameButForMode(given, { ...back, snap_length: 0 })).toBe(false);
    expect(isSameButForMode(given, { ...back, stop_rule: { size_limit: 2n ** 60n + 1n } })).toBe(false);
    expect(isSameMode(given, { ...back, mode: 'LEGACY' })).toBe(true);
    expect(isSameMode(given, { ...back, mode: 'PREPARE' })).toBe(false);
  });
});
