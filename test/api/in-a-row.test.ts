/** Exports in a row leave nothing behind: a short form of the bench's case, which counts ten thousand. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { inARow } from '../../bench/api/in-a-row.js';
import { Server } from '../../bench/server.js';
import { SPILLWAY } from '../cli/support.js';
import { temporaryFolder } from '../support/temporary.js';
import { pcap, udpFrame } from './captures.js';

const WARM_UP = 45;
const COUNT = 135;
/** More than the system takes for a client that reads nothing. */
const FILE_BYTES = 12 << 20;
/** Pools of connections and handles breathe. */
const MORE_DESCRIPTORS = 4;
/** What an export maps and fills in a thread is larger than a hundredth of this. */
const MORE_EXTERNAL_BYTES = 24e6;

const folder = temporaryFolder();
// Whom root lets serve must reach it.
chmodSync(folder.path, 0o755);
let server: Server | undefined;
afterAll(() => server?.stop());

it('every mode, a third broken off: no descriptor, no file and no memory is left', async () => {
  const dataFolder = join(folder.path, 'data');
  const place = join(dataFolder, 'fs', 'admin');
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const frame = udpFrame(1000, 2000, 1500);
  const packets = Array.from({ length: Math.ceil(FILE_BYTES / 1516) }, (_, i) => ({
    ns: 1_700_000_000_000_000_000n + BigInt(i) * 1000n,
    bytes: frame,
  }));
  writeFileSync(join(place, 'big.pcap'), pcap(packets));
  server = await Server.start([SPILLWAY, 'serve', '--port', '0', '--data', dataFolder]);
  const row = { address: server.address, dataFolder, path: 'fs/admin/big.pcap' };
  await inARow(row, WARM_UP, 1);
  const [before, , after] = await inARow(row, COUNT);
  process.stdout.write(`${JSON.stringify([before, after])}\n`);
  expect(after!.descriptors).toBeLessThanOrEqual(before!.descriptors + MORE_DESCRIPTORS);
  expect(after!.files).toBe(0);
  expect(after!.externalBytes - before!.externalBytes).toBeLessThan(MORE_EXTERNAL_BYTES);
}, 60_000);
