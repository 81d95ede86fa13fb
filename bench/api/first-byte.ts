/** Rare packets of a running capture's buffer: how long it takes from the request until the first byte of the packets. */
import { join } from 'node:path';
import type { Context } from '../context.js';
import { CapturedJob } from '../live/job.js';
import { pause } from '../live/contenders.js';
import type { Pair } from '../live/pair.js';
import { Server } from '../server.js';
import { Connection, create, fetchPackets, remove } from './http.js';

/** What lies in the buffer before anything is asked: 60 s of frames of 300 bytes, some with a tag that the others have not. */
const BEFORE = { size: 300, rate: 50_000, seconds: 20 };
const RARE = { size: 300, rate: 100, seconds: 1, vlan: 77 };
/** What goes on coming. */
const MEANWHILE = { size: 300, rate: 5_000, seconds: 5 };
const SETTLE_MS = 1500;
/** The sender counts through so many source ports. */
const PORTS = 97;

export interface FirstBytes {
  ms: number[];
  packets: number;
  cpuSeconds: number;
}

export async function firstBytes(context: Context, pair: Pair, place: string, count: number): Promise<FirstBytes> {
  const dataFolder = join(place, 'data');
  // First: what root starts serves as another user, who then owns the folder.
  const server = await Server.start(context.spillway('serve', '--port', '0', '--data', dataFolder));
  let job: CapturedJob | null = null;
  let connection: Connection | null = null;
  try {
    job = await CapturedJob.start(context, pair, place);
    const before = await pair.send({ ...BEFORE, seconds: BEFORE.seconds / 2 });
    await pair.send(RARE);
    const after = await pair.send({ ...BEFORE, seconds: BEFORE.seconds / 2 });
    await pause(SETTLE_MS);
    let isOver = false;
    const sending = (async () => {
      while (!isOver) await pair.send(MEANWHILE);
    })();
    connection = await Connection.open(server.address);
    const cpuBefore = server.cpuSeconds();
    const ms: number[] = [];
    for (let i = 0; i < count; i++) {
      // Another filter each time: none was compiled before.
      const value = `vlan ${RARE.vlan} and udp src port ${1000 + (i % PORTS)} and less ${1000 + Math.floor(i / PORTS)}`;
      const began = performance.now();
      const id = await create(connection, { path: 'jobs/bench', filters: { items: [{ id: 'f', type: 'BPF', value }] } });
      const made = performance.now() - began;
      const { firstByteMs } = await fetchPackets(server.address, id);
      ms.push(made + firstByteMs);
      await remove(connection, id);
    }
    const cpuSeconds = server.cpuSeconds() - cpuBefore;
    isOver = true;
    await sending;
    return { ms, packets: before.packets + after.packets, cpuSeconds };
  } finally {
    connection?.close();
    await server.stop();
    await job?.end();
  }
}
