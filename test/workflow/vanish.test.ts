/** A client that vanishes, at every point of every mode: the export is as the API says, and nothing of it is left behind. */
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.js';
import { BASE, errorOf, TestProbe } from '../api/server.js';
import { FakeEngine, Gate, receipt, until } from '../export/fakes.js';

type Mode = 'LEGACY' | 'BUFFER_STREAM' | 'overflowing' | 'LIVE_STREAM' | 'STREAM_TO_FILE' | 'PREPARE';
const MODES: Mode[] = ['LEGACY', 'BUFFER_STREAM', 'overflowing', 'LIVE_STREAM', 'STREAM_TO_FILE', 'PREPARE'];

const HEAD = Buffer.alloc(100_000, 'h');
const TAIL = Buffer.alloc(100_000, 't');
/** More than the buffers of two sockets hold: its reader is always in the middle. */
const LARGE = Buffer.alloc(16 << 20, 'x');
/** Of a spool. */
const ROOM_BYTES = LARGE.length + 3 * HEAD.length;

interface Seen {
  id: string;
  config: { mode?: string };
  status: { state: string; error?: { error_id: string } };
}

let engine: FakeEngine;
let probe: TestProbe;
/** What a run waits for before its first piece. */
let firstByte: Promise<void>;
const usual = { ...LIMITS };

beforeAll(async () => {
  Object.assign(LIMITS, { spoolExportBytes: ROOM_BYTES, prepareWaitMs: 50 });
  engine = new FakeEngine();
  probe = await TestProbe.start(async (request) => {
    const prepared = await engine.prepare(request);
    return { ...prepared, run: async (sink, options) => firstByte.then(() => prepared.run(sink, options)) };
  });
});
afterAll(async () => {
  Object.assign(LIMITS, usual);
  await probe.stop();
});
beforeEach(() => {
  firstByte = Promise.resolve();
  Object.assign(engine, { prepareGate: Promise.resolve(), runGate: Promise.resolve(), pieces: [HEAD, TAIL], receipt: receipt() });
});

const configOf = (mode: Mode): object => ({
  path: 'fs/admin/sample.pcap',
  mode: mode === 'overflowing' ? 'BUFFER_STREAM' : mode,
  ...(mode === 'STREAM_TO_FILE' && { output_filename: '/admin/out.pcap' }),
});
/** What overflows has its second piece in the spool no more. */
const piecesOf = (mode: Mode): Buffer[] => (mode === 'overflowing' ? [LARGE, HEAD, LARGE, TAIL] : [HEAD, LARGE, TAIL, TAIL]);

const list = async (): Promise<Seen[]> => (await probe.json<{ items: Seen[] }>(`${BASE}/exports`)).items;
const look = (id: string): Promise<Seen> => probe.json<Seen>(`${BASE}/exports/items/${id}`);
const isIn = async (id: string, state: string): Promise<void> => {
  let last = '';
  await until(async () => (last = (await look(id)).status.state) === state).catch(() => expect(last).toBe(state));
};

/** A request that is sent as it is; the client reads nothing of the answer. */
async function send(text: string): Promise<Socket> {
  const socket = connect(probe.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  await new Promise((resolve) => socket.write(text, resolve));
  return socket;
}
const head = (method: string, path: string, headers = ''): string => `${method} ${BASE}${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
const withBody = (method: string, path: string, body: string, sent = body): string =>
  `${head(method, path, `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`)}${sent}`;
const bodyOf = (mode: Mode): string => JSON.stringify({ config: configOf(mode) });

/** Files of the data folder that come and go, and what this process has open of it; sockets and timers are others'. */
function leftovers(): { files: string[]; open: string[] } {
  const folders = ['fs/admin', 'spool', 'buffer'].map((name) => join(probe.data.path, name));
  const files = folders.flatMap((folder) => {
    try {
      return readdirSync(folder).map((name) => `${folder}/${name}`);
    } catch {
      return [];
    }
  });
  const open: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      open.push(readlinkSync(`/proc/self/fd/${fd}`).replace(/\[\d+\]/, ''));
    } catch {
      // That of the listing itself.
    }
  }
  return { files: files.filter((name) => !name.endsWith('out.pcap')), open: open.sort() };
}

/** The client is gone, and the server, in this process as well, has seen it. */
async function vanish(socket: Socket): Promise<void> {
  socket.destroy();
  await once(socket, 'close');
  await sleep(50);
}

/** Does it, removes the exports that it made, and finds everything as before. */
async function leavingNothing(work: () => Promise<void>): Promise<void> {
  // A connection is made by the first request of a test, and its descriptor closed some time after.
  await list();
  const before = leftovers();
  const closed = engine.closed;
  const asked = engine.requests.length;
  await work();
  for (const { id } of await list()) expect((await probe.ask(`${BASE}/exports/items/${id}`, { method: 'DELETE' })).status).toBe(204);
  await until(() => leftovers().open.length <= before.open.length, 'the descriptors to be closed').catch(() =>
    expect(leftovers().open).toEqual(before.open),
  );
  expect(leftovers().files).toEqual(before.files);
  expect(engine.closed - closed).toBe(engine.requests.length - asked);
  expect(engine.running).toBe(0);
}

/** A client that has so many bytes of the packets, and reads no more. */
async function fetched(id: string, bytes: number): Promise<Socket> {
  const socket = await send(head('GET', `/packets/items/${id}`));
  let seen = 0;
  await new Promise<void>((resolve) =>
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.length;
      if (seen < bytes) return;
      socket.pause();
      resolve();
    }),
  );
  return socket;
}

async function create(mode: Mode): Promise<string> {
  engine.pieces = piecesOf(mode);
  return probe.create(configOf(mode));
}

describe.each(MODES)('in the mode %s, a client that vanishes', (mode) => {
  const isFetched = mode !== 'STREAM_TO_FILE';

  it('during the body of its POST has made nothing', () =>
    leavingNothing(async () => {
      const body = bodyOf(mode);
      for (const sent of ['', body.slice(0, 1), body.slice(0, -1)]) {
        const socket = await send(withBody('POST', '/exports', body, sent));
        socket.destroy();
        await once(socket, 'close');
      }
      expect(await list()).toEqual([]);
    }));

  it('right after its POST has made an export like any other', () =>
    leavingNothing(async () => {
      engine.pieces = piecesOf(mode);
      const socket = await send(withBody('POST', '/exports', bodyOf(mode)));
      socket.resetAndDestroy();
      await until(async () => (await list()).length === 1);
      const [made] = await list();
      await isIn(made!.id, { LEGACY: 'RUNNING', LIVE_STREAM: 'RUNNING', STREAM_TO_FILE: 'DONE' }[mode as string] ?? 'READY');
    }));

  if (isFetched)
    it('while its early request is held is missed by nobody: the next is served', () =>
      leavingNothing(async () => {
        const gate = new Gate();
        engine.prepareGate = gate.passed;
        const id = await create(mode);
        const socket = await send(head('GET', `/packets/items/${id}`));
        expect((await look(id)).status.state).toBe('INITIALIZING');
        await vanish(socket);
        gate.open();
        await isIn(id, mode === 'LEGACY' || mode === 'LIVE_STREAM' ? 'RUNNING' : 'READY');
        const answer = await probe.ask(`${BASE}/packets/items/${id}`);
        expect([answer.status, answer.body.equals(Buffer.concat(engine.pieces))]).toEqual([200, true]);
        await isIn(id, 'DONE');
      }));

  const afterLeaving = async (id: string): Promise<void> => {
    if (mode === 'LIVE_STREAM') return isIn(id, 'DONE');
    if (mode === 'BUFFER_STREAM') {
      await isIn(id, 'READY');
      expect((await probe.ask(`${BASE}/packets/items/${id}`)).body.equals(Buffer.concat(engine.pieces))).toBe(true);
      return isIn(id, 'DONE');
    }
    await isIn(id, 'ERRORS');
    expect((await look(id)).status.error).toMatchObject({ error_id: 'CLIENT_LEFT' });
    const again = await probe.ask(`${BASE}/packets/items/${id}`);
    expect([again.status, errorOf(again).error_id]).toEqual([409, 'EXPORT_STATE']);
  };

  if (isFetched && mode !== 'BUFFER_STREAM' && mode !== 'overflowing')
    it('before the first byte ends it as one in mid-stream', () =>
      leavingNothing(async () => {
        const gate = new Gate();
        firstByte = gate.passed;
        const id = await create(mode);
        const socket = await send(head('GET', `/packets/items/${id}`));
        await isIn(id, 'STREAMING');
        await vanish(socket);
        // The engine sees it when it has something to give.
        gate.open();
        await afterLeaving(id);
      }));

  if (mode === 'BUFFER_STREAM' || mode === 'overflowing')
    it('while the spool is filled is missed by nobody', () =>
      leavingNothing(async () => {
        const gate = new Gate();
        engine.runGate = gate.passed;
        const id = await create(mode);
        const socket = await send(head('GET', `/packets/items/${id}`));
        expect((await look(id)).status.state).toBe('RUNNING');
        await vanish(socket);
        gate.open();
        await isIn(id, 'READY');
        const { body } = await probe.ask(`${BASE}/packets/items/${id}`);
        expect(body.equals(Buffer.concat(engine.pieces))).toBe(true);
        await isIn(id, 'DONE');
      }));

  if (isFetched && mode !== 'overflowing')
    it('in mid-stream', () =>
      leavingNothing(async () => {
        const id = await create(mode);
        if (mode === 'BUFFER_STREAM') await isIn(id, 'READY');
        await vanish(await fetched(id, 1));
        await afterLeaving(id);
      }));

  // Of what is spooled the system has the end by then; that no client takes it, nobody sees.
  if (isFetched && mode !== 'overflowing' && mode !== 'BUFFER_STREAM')
    it('right before the end', () =>
      leavingNothing(async () => {
        const gate = new Gate();
        engine.runGate = gate.passed;
        engine.pieces = [LARGE, TAIL];
        const id = await probe.create(configOf(mode));
        await vanish(await fetched(id, LARGE.length));
        gate.open();
        await afterLeaving(id);
      }));

  if (mode === 'overflowing')
    it('while it gets what is spooled can come back, and behind that not', () =>
      leavingNothing(async () => {
        const id = await create(mode);
        await isIn(id, 'READY');
        await vanish(await fetched(id, 1));
        await isIn(id, 'READY');
        const socket = await fetched(id, ROOM_BYTES + 1000);
        await vanish(socket);
        await isIn(id, 'ERRORS');
        expect((await look(id)).status.error).toMatchObject({ error_id: 'CLIENT_LEFT' });
      }));

  it('during its PUT has changed nothing', () =>
    leavingNothing(async () => {
      engine.pieces = piecesOf(mode);
      const id = await create(mode);
      await until(async () => !['UNINITIALIZED', 'INITIALIZING'].includes((await look(id)).status.state));
      const body = JSON.stringify({ config: { ...(await look(id)).config, mode: 'BUFFER_STREAM' } });
      const before = (await look(id)).config;
      for (const sent of ['', body.slice(0, -1)]) {
        const socket = await send(withBody('PUT', `/exports/items/${id}`, body, sent));
        socket.destroy();
        await once(socket, 'close');
      }
      expect((await look(id)).config).toEqual(before);
    }));

  it('right after its PUT is obeyed', () =>
    leavingNothing(async () => {
      const id = await create(mode);
      if (mode === 'STREAM_TO_FILE') await isIn(id, 'DONE');
      const { config } = await look(id);
      const next = mode === 'PREPARE' ? 'LEGACY' : config.mode;
      const socket = await send(withBody('PUT', `/exports/items/${id}`, JSON.stringify({ config: { ...config, mode: next } })));
      socket.resetAndDestroy();
      await until(async () => (await look(id)).config.mode === next);
    }));

  it('during its DELETE is obeyed', () =>
    leavingNothing(async () => {
      const gate = new Gate();
      engine.runGate = gate.passed;
      const id = await create(mode);
      const socket = await send(head('DELETE', `/exports/items/${id}`));
      socket.resetAndDestroy();
      await until(async () => (await probe.ask(`${BASE}/exports/items/${id}`)).status === 404);
      gate.open();
    }));
});
