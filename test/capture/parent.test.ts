/** The server's end of the way to its root parent. */
import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { linesOf } from '../../src/capture/lines.js';
import { RootParent, rootParent, type CaptureRequest } from '../../src/capture/parent.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
const request: CaptureRequest = {
  ...{ id: 'x', program: false, interfaces: ['lo'], snapLengthBytes: 0 },
  ...{ segmentBytes: 0, retainBytes: 0, retainAgeSeconds: 0, fsync: 'seal' },
};

let ways = 0;
/** Both ends of a way. */
async function way(): Promise<{ parent: Socket; server: RootParent }> {
  const path = join(folder.path, `way-${ways++}`);
  const listener = createServer().listen(path);
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const socket = connect(path);
  const [parent] = await accepted;
  listener.close();
  return { parent, server: new RootParent(socket) };
}

describe('the way to the parent', () => {
  it('gives each request its answer, in turn', async () => {
    const { parent, server } = await way();
    const asked = linesOf(parent, 1000);
    const outcomes = [1, 2, 3].map((n) => server.start({ ...request, id: `${n}` }));
    for (const n of [1, 2, 3]) expect(JSON.parse((await asked.next()).value as string)).toEqual({ ...request, id: `${n}` });
    parent.write('{"ok":true}\n{"ok":false,"code":"INTERFACE_NOT_FOUND","sentence":"no lo"}\n{"ok":false,"code":"toString","sentence":"odd"}\n');
    await outcomes[0];
    await expect(outcomes[1]).rejects.toMatchObject({ code: 'INTERFACE_NOT_FOUND', message: 'no lo' });
    await expect(outcomes[2]).rejects.toMatchObject({ code: 'CAPTURE_FAILED', message: 'odd' });
    parent.destroy();
  });

  it.each<[string, (parent: Socket) => void]>([
    ['ends', (parent) => parent.end()],
    ['is killed, with a request unread', (parent) => parent.destroy()],
    ['talks nonsense', (parent) => void parent.write('nonsense\n')],
    ['does not end its line', (parent) => void parent.write('x'.repeat(20_000))],
  ])('is gone when the parent %s', async (_, does) => {
    const { parent, server } = await way();
    parent.on('error', () => undefined);
    const outcome = server.start(request);
    await once(parent, 'readable');
    does(parent);
    const gone = { code: 'CAPTURE_FAILED', message: 'the process that starts captures for the server has ended' };
    await expect(outcome).rejects.toMatchObject(gone);
    await server.gone;
    await expect(server.start(request)).rejects.toMatchObject(gone);
    parent.destroy();
  });

  it('is there only where the environment names it', () => {
    for (const fd of ['', 'x', '-1', '3 ']) {
      const environment = { SPILLWAY_PARENT_FD: fd };
      expect(rootParent(environment)).toBeNull();
      expect(environment).toEqual({});
    }
    expect(rootParent({})).toBeNull();
  });
});

it('lines come whole, however they are cut, and none is too long', async () => {
  const stream = new PassThrough();
  for (const byte of Buffer.from('one\n\nzwölf\nrest')) stream.write(Buffer.of(byte));
  stream.end();
  const lines: string[] = [];
  for await (const line of linesOf(stream, 5)) lines.push(line);
  expect(lines).toEqual(['one', '', 'zwölf']);
  const long = new PassThrough();
  long.end('12345\n123456\n');
  await expect(linesOf(long, 5).next()).rejects.toThrow('longer than 5');
});
