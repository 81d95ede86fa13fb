/** tar (ustar, and pax where that holds too little) inside gzip, as it is written. */
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { Sink } from '../engine/types.js';

export interface TarFile {
  path: string;
  /** In bytes; exactly so many have to come. */
  size: number;
  mode: number;
}

export interface TarStream {
  /** Rejects with what `bytes` or the sink rejects with, or where their number is another; the archive is of no use then. */
  add(file: TarFile, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  finish(): Promise<void>;
}

/** The sink is neither finished nor aborted here. */
export async function tarStream(sink: Sink, modified: Date): Promise<TarStream> {
  const { createTarPacker } = await import('modern-tar');
  const { readable, controller } = createTarPacker();
  const gzip = createGzip();
  const written = (async () => {
    for await (const bytes of gzip as AsyncIterable<Uint8Array>) await sink.write(bytes);
  })();
  const packed = (async () => {
    for await (const bytes of readable) if (!gzip.write(bytes)) await Promise.race([once(gzip, 'drain'), written]);
    gzip.end();
  })();
  // What fails there is told by the next `add`, or by `finish`.
  let hasFailed = false;
  const ended = Promise.all([packed, written]);
  ended.catch(() => {
    hasFailed = true;
    gzip.destroy();
  });
  return {
    add: async ({ path, size, mode }, bytes) => {
      if (hasFailed) await ended;
      const writer = controller.add({ name: path, size, mode, mtime: modified, type: 'file' }).getWriter();
      const write = async (): Promise<void> => {
        for await (const part of bytes) await writer.write(part);
        await writer.close();
      };
      try {
        await Promise.race([write(), ended]);
      } catch (error) {
        controller.error(error);
        throw error;
      }
    },
    finish: async () => {
      controller.finalize();
      await ended;
    },
  };
}
