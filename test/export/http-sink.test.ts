import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.js';
import { HttpSink } from '../../src/export/http-sink.js';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** Serves one response by `work`; gives the port, and what `work` came to. */
async function serve(work: (response: ServerResponse) => Promise<unknown>): Promise<{ port: number; served: Promise<unknown> }> {
  let settle: (result: Promise<unknown>) => void;
  const served = new Promise((resolve) => (settle = resolve));
  served.catch(() => undefined);
  server = createServer((_request, response) => settle(work(response)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, served };
}

async function get(port: number): Promise<{ response: IncomingMessage; body: Buffer; complete: boolean }> {
  const asked = request({ port, host: '127.0.0.1' });
  const [response] = (await once(asked.end(), 'response')) as [IncomingMessage];
  asked.on('error', () => undefined);
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('error', () => undefined);
  await new Promise((resolve) => response.once('close', resolve));
  return { response, body: Buffer.concat(chunks), complete: response.complete };
}

const HEADERS = { 'content-type': 'application/octet-stream' };

describe('a response', () => {
  it('carries everything, from memory that is reused and shared', async () => {
    const pieces = Array.from({ length: 20 }, () => randomBytes(1 << 20));
    const { port, served } = await serve(async (response) => {
      const sink = new HttpSink(response, HEADERS);
      const shared = new Uint8Array(new SharedArrayBuffer(1 << 20));
      for (const piece of pieces) {
        shared.set(piece);
        await sink.write(shared);
        shared.fill(0);
      }
      await sink.finish();
    });
    const { response, body, complete } = await get(port);
    await served;
    expect(complete).toBe(true);
    expect(response.headers).toMatchObject({ ...HEADERS, 'transfer-encoding': 'chunked' });
    expect(response.headers['content-length']).toBeUndefined();
    expect(body.equals(Buffer.concat(pieces))).toBe(true);
  });

  it('of nothing is whole', async () => {
    let begun = 0;
    const { port, served } = await serve((response) => new HttpSink(response, HEADERS, { onBegin: () => void begun++ }).finish());
    expect(await get(port)).toMatchObject({ complete: true, body: Buffer.alloc(0) });
    await served;
    expect(begun).toBe(1);
  });

  it('is not touched before there is something to send, so that an error can take its place', async () => {
    const { port, served } = await serve(async (response) => {
      const sink = new HttpSink(response, HEADERS);
      await sink.abort();
      expect(sink.begun).toBe(false);
      response.writeHead(409).end('refused');
    });
    const { response, body } = await get(port);
    expect([response.statusCode, body.toString()]).toEqual([409, 'refused']);
    await served;
  });

  it('shows its headers when the first byte takes long', async () => {
    const { port } = await serve(async (response) => new HttpSink(response, HEADERS));
    const began = Date.now();
    const [response] = (await once(request({ port, host: '127.0.0.1' }).end(), 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    expect(Date.now() - began).toBeGreaterThanOrEqual(LIMITS.headersAfterMs - 20);
  });

  it('that is aborted breaks the connection, also for a client that reads to the end', async () => {
    const work = async (response: ServerResponse): Promise<void> => {
      const sink = new HttpSink(response, HEADERS);
      await sink.write(Buffer.from('half'));
      // The client has read it by then: only what is left unread could hide how the connection ends.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await sink.abort();
    };
    const { port } = await serve(work);
    expect((await get(port)).complete).toBe(false);
    const old = connect(port, '127.0.0.1');
    old.write('GET / HTTP/1.0\r\n\r\n');
    await expect(once(old.resume(), 'close')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('waits for a slow client, and tells when it leaves', async () => {
    let written = 0;
    const { port, served } = await serve(async (response) => {
      const sink = new HttpSink(response, HEADERS);
      try {
        for (;;) {
          await sink.write(Buffer.alloc(1 << 20));
          written++;
        }
      } finally {
        await sink.abort();
      }
    });
    const client = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const stalled = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written).toBe(stalled);
    expect(stalled).toBeLessThan(32);
    client.resetAndDestroy();
    await expect(served).rejects.toMatchObject({ code: 'CLIENT_LEFT' });
  });

  it('to a client that left before refuses at once', async () => {
    const { port, served } = await serve(async (response) => {
      const sink = new HttpSink(response, HEADERS);
      await once(response, 'close');
      return sink.write(Buffer.from('x'));
    });
    const client = connect(port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.destroy();
    await expect(served).rejects.toMatchObject({ code: 'CLIENT_LEFT' });
  });
});
