/** Who takes no packets gives up the turn, over real connections, where somebody waits for one. */
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ADMIN } from '../../src/access/caller.js';
import { packetExport } from '../../src/api/packet-export/service.js';
import { LIMITS } from '../../src/config.js';
import { ExportService } from '../../src/export/service.js';
import { SpoolRoom } from '../../src/export/spool.js';
import type { DataFolder } from '../../src/state/data-folder.js';
import { FakeEngine, TemporaryData, until } from '../export/fakes.js';
import { serveAs } from './serve.js';
import { BASE } from './server.js';

const STALL_MS = 400;
/** More than the system keeps for a connection that takes nothing. */
const PIECES = 20;

let temporary: TemporaryData;
let data: DataFolder;
let service: ExportService;
let app: FastifyInstance;
const engine = new FakeEngine();
const sockets: Socket[] = [];

beforeEach(async () => {
  temporary = new TemporaryData();
  data = await temporary.open();
  service = await ExportService.open({
    prepare: engine.prepare,
    openCaptured: () => Promise.reject(new Error('nothing is captured here')),
    store: data.exports,
    files: data.files,
    spools: await SpoolRoom.open(join(data.path, 'spool'), { totalBytes: 1 << 20, eachBytes: 1 << 20 }),
    stallMs: STALL_MS,
  });
  engine.pieces = Array.from({ length: PIECES }, () => Buffer.alloc(1 << 20));
  app = await serveAs(() => ADMIN, [packetExport(service)]);
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await service.close();
  await app.close();
  data.close();
  temporary.remove();
});

const create = async (mode?: 'BUFFER_STREAM'): Promise<string> =>
  (await service.create({ config: { path: 'fs/admin/x.pcap', ...(mode && { mode }) }, additions: {} }, ADMIN)).id!;
const stateOf = async (id: string): Promise<string> => (await service.get(id, ADMIN)).status!.state!;

/** Asks for the packets and reads nothing, not even the head. */
function stall(id: string): void {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(`GET ${BASE}/packets/items/${id} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  sockets.push(socket);
}

/** Reads all packets; resolves to their bytes. */
async function read(id: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}${BASE}/packets/items/${id}`);
  return (await response.arrayBuffer()).byteLength;
}

it('one gives way to one who waits, and the others stay', async () => {
  const stalled = await Promise.all(Array.from({ length: LIMITS.runningExportsOfUser }, () => create()));
  for (const id of stalled) stall(id);
  await until(() => engine.running === LIMITS.runningExportsOfUser);
  // Nobody waits: nobody has to go.
  await new Promise((resolve) => setTimeout(resolve, 2 * STALL_MS));
  expect(new Set(await Promise.all(stalled.map(stateOf)))).toEqual(new Set(['STREAMING']));
  const began = performance.now();
  expect(await read(await create())).toBe(PIECES << 20);
  expect(performance.now() - began).toBeLessThan(LIMITS.turnWaitMs / 4);
  const states = await Promise.all(stalled.map(stateOf));
  expect(states.filter((state) => state !== 'STREAMING')).toEqual(['ERRORS']);
  const { status } = await service.get(stalled[states.indexOf('ERRORS')]!, ADMIN);
  expect(status!.error!.error_id).toBe('CLIENT_TOO_SLOW');
  expect(engine.running).toBe(LIMITS.runningExportsOfUser - 1);
});

it('also who fetches what had no room in the spool', async () => {
  const spooled = await create('BUFFER_STREAM');
  await until(async () => (await stateOf(spooled)) === 'READY');
  stall(spooled);
  const others = await Promise.all(Array.from({ length: LIMITS.runningExportsOfUser - 1 }, () => create()));
  engine.runGate = new Promise(() => undefined);
  for (const id of others) stall(id);
  await until(() => engine.running === LIMITS.runningExportsOfUser);
  engine.runGate = Promise.resolve();
  expect(await read(await create())).toBe(PIECES << 20);
  expect((await service.get(spooled, ADMIN)).status).toMatchObject({ state: 'ERRORS', error: { error_id: 'CLIENT_TOO_SLOW' } });
});
