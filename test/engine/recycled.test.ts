/** Scans are used again for other exports: nothing of the one before is left in them. */
import { expect, it } from 'vitest';
import type { ExportFormat } from '../../src/engine/types.js';
import { runExport, request } from '../support/engine.js';
import { traffic } from '../support/oracle.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const FORMATS: ExportFormat[] = ['pcap_us', 'pcap_ns', 'pcapng_us', 'pcapng_ns'];

it('gives the same in every shape, whatever came before', async () => {
  const path = folder.write('x.pcap', traffic());
  const shapes = FORMATS.flatMap((format) =>
    [0, 64].flatMap((snapLengthBytes) => [[], ['tcp'], ['udp', 'port 53']].map((filters) => ({ format, snapLengthBytes, filters }))),
  );
  // Small files are scanned by this very thread, with a few scans for all.
  const run = async (shape: (typeof shapes)[number]): Promise<string> => {
    const { bytes, receipt } = await runExport(request(path, shape), { workers: 0 });
    return `${receipt.packets_exported} ${receipt.crc32c} ${bytes.length}`;
  };
  const first: string[] = [];
  for (const shape of shapes) first.push(await run(shape));
  expect(new Set(first).size).toBeGreaterThan(shapes.length / 2);
  const backwards: string[] = [];
  for (const shape of [...shapes].reverse()) backwards.unshift(await run(shape));
  expect(backwards).toEqual(first);
});
