/** The thread behind ZstdSink: takes bytes, answers each message with what is compressed by then. */
import { parentPort } from 'node:worker_threads';
import { CompressStream } from 'zstd-napi';
import type { ZstdDone, ZstdWork } from './zstd-sink.js';

// Level 3 has a window of 2 MiB, well below the 8 MiB that HTTP clients must accept.
const stream = new CompressStream({ compressionLevel: 3, checksumFlag: true });
let chunks: Uint8Array[] = [];

stream.on('data', (chunk: Uint8Array) => chunks.push(chunk));
stream.on('end', answer);
parentPort?.on('message', (work: ZstdWork) => {
  if ('bytes' in work) stream.write(Buffer.from(work.bytes.buffer), answer);
  else stream.end();
});

function answer(): void {
  // Memory of its own, so that it can be handed over.
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  chunks = [];
  const done: ZstdDone = { bytes };
  parentPort?.postMessage(done, [bytes.buffer]);
}
