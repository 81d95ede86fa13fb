import { describe, expect, it } from 'vitest';
import { chooseCoding } from '../../src/api/packet-export/coding.js';
import { downloadName } from '../../src/api/packet-export/file-name.js';

describe('the content coding', () => {
  it.each([
    [undefined, undefined, 'identity'],
    [undefined, '', 'identity'],
    [undefined, 'gzip, deflate, br, zstd', 'identity'],
    [undefined, 'gzip;q=1.0, *;q=0.5', 'identity'],
    [undefined, 'gzip;q=1, identity;q=0.001', 'identity'],
    [undefined, 'gzip, identity;q=0', 'gzip'],
    [undefined, 'gzip;q=0.5, zstd;q=0.6, identity;q=0', 'zstd'],
    [undefined, 'gzip;q=0.5, zstd;q=0.5, identity;q=0', 'zstd'],
    [undefined, 'zstd;q=0, gzip;q=0.1, identity;q=0', 'gzip'],
    [undefined, 'identity; q=0', 'gzip'],
    [undefined, 'identity;q=0, br', 'gzip'],
    [undefined, 'gzip, *;q=0', 'gzip'],
    [undefined, '*, identity;q=0', 'zstd'],
    [undefined, 'IDENTITY;Q=0, GZIP', 'gzip'],
    [undefined, 'identity;q=zero', 'identity'],
    ['zstd', undefined, 'zstd'],
    ['zstd', 'gzip', 'zstd'],
    ['gzip', 'identity', 'gzip'],
    ['identity', 'gzip, identity;q=0', 'identity'],
  ])('of compress=%s with Accept-Encoding %s is %s', (compress, accept, coding) => expect(chooseCoding(compress, accept)).toBe(coding));

  it.each([
    ['br', undefined],
    ['', undefined],
    ['gzip,zstd', undefined],
    [undefined, '*;q=0'],
    [undefined, 'identity;q=0, gzip;q=0, zstd;q=0'],
  ])('is refused for compress=%s with Accept-Encoding %s', (compress, accept) => {
    expect(() => chooseCoding(compress, accept)).toThrow(expect.objectContaining({ code: 'CODING_UNSUPPORTED' }));
  });
});

describe('the name of a download', () => {
  const id = '0a1b2c3d-0000-4000-8000-000000000000';

  it.each([
    ['fs/admin/sample.pcap', 'pcap_us', 'sample-0a1b2c3d.pcap'],
    ['fs/admin/deep/Night_2.pcapng', 'pcap_ns', 'Night_2-0a1b2c3d.pcap'],
    ['fs/admin/a.pcap.gz', 'pcapng_us', 'a-0a1b2c3d.pcapng'],
    ['fs/admin/été = "x"; y', 'pcapng_ns', 't_x_y-0a1b2c3d.pcapng'],
    ['fs/admin/..\r\nX: 1', 'pcap_us', 'X_1-0a1b2c3d.pcap'],
    ['fs/admin/日本', 'pcap_us', 'export-0a1b2c3d.pcap'],
    [`fs/admin/${'a'.repeat(300)}`, 'pcap_us', `${'a'.repeat(64)}-0a1b2c3d.pcap`],
  ] as const)('of %j as %s is %s', (source, format, name) => {
    expect(downloadName(source, id, format)).toBe(name);
    expect(name).toMatch(/^[A-Za-z0-9._-]+$/);
  });
});
