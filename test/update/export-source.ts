/** A repository of two packages whose bytes are what devices of a test give, and when. */
import { crc32 } from 'node:zlib';
import type { ExportedFrom, ExportInput } from '../../src/update/export-kind.js';
import type { FakeDevices } from '../bundle/fake-devices.js';

const OWN = Buffer.from('package of this probe');

export function fakeRepository(devices: FakeDevices): ExportedFrom {
  return {
    get: (id) => {
      const content = id === 'own' ? OWN : Buffer.from(`package of ${id}`);
      const facts = { id, version: '1.0.0', platform: 'linux', architecture: 'x64', node: '*', sha256: '', signer: null, madeMs: 0, importedMs: 0 };
      return { ...facts, bytes: content.length, crc32: crc32(content), file: id };
    },
    bytes: (id) => (id === 'own' ? own(devices) : given(devices, id)),
  };
}

export const exportInput = (id: string): ExportInput => {
  return { number: 1_795_321_491, name: 'repository20261122041131.zip', content: 'all', packages: [id], totalBytes: 500 };
};

async function* own({ gate }: FakeDevices): AsyncGenerator<Uint8Array, void, undefined> {
  await gate;
  yield OWN;
}

async function* given(devices: FakeDevices, id: string): AsyncGenerator<Uint8Array, void, undefined> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: 8 });
  const writer = writable.getWriter();
  const sink = { write: (bytes: Uint8Array) => writer.write(bytes), finish: () => Promise.resolve(), abort: () => Promise.resolve() };
  const fetching = { sink, signal: new AbortController().signal, progress: () => undefined, maxBytes: 1 << 20 };
  devices
    .peer(id)
    .support(fetching)
    .then(
      () => writer.close(),
      (error: unknown) => writer.abort(error),
    )
    .catch(() => undefined);
  yield* readable;
}
