/** Scans a stream (compressed, or read once): one worker, from front to end; filled slots come by a port. */
import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { REPORT, STATUS } from '../native.js';
import { concludes, mixed, type Piece, type ScanContext } from './context.js';
import { notACapture, type OpenSource } from './source.js';
import type { FromStream, ScanResult, ToStream } from './tasks.js';

/** Slots a stream works with: one is filled while the other is on its way out. */
const STREAM_SLOTS = 2;

export async function* scanStreamSource(source: OpenSource, interfaceBase: number, context: ScanContext): AsyncGenerator<Piece, number> {
  const { port1, port2 } = new MessageChannel();
  const messages = received(port1);
  const send = (message: ToStream): void => port1.postMessage(message);
  const running = context.pool.stream({
    selection: context.selection,
    control: context.control,
    input: { fd: source.fd, compression: source.compression, pipe: source.pipe },
    interfaceBase,
    limits: context.totals.left(context.rules),
    port: port2,
  });
  // A worker that fails sends nothing more.
  running.catch(() => port1.close());
  try {
    for (const slot of context.slots.slice(0, STREAM_SLOTS)) send({ slot });
    for await (const { result, slot, last } of messages) {
      if (context.mixesLinkTypes(result)) throw mixed(source, Number(result.report[REPORT.detailOffset]), Number(result.report[REPORT.linkTypeOut]));
      if (slot && result.outLength > 0) yield context.piece(result, slot, result.status === STATUS.budget);
      if (last || !slot) break;
      if (result.status === STATUS.needProgram) {
        await context.addPrograms(Number(result.report[REPORT.detail]));
        send({ selection: context.selection });
      }
      const needed = result.status === STATUS.outputFull && result.outLength === 0 ? result.needed : 0;
      send({ slot: needed > slot.byteLength ? new SharedArrayBuffer(needed) : slot });
    }
    const result = await running;
    if (result.info?.sections === 0 && result.status === STATUS.damage) throw notACapture(source.name, result.damage);
    return finish(result, source, interfaceBase, context);
  } finally {
    port1.close();
    await running.catch(() => {});
  }
}

function finish(result: ScanResult, source: OpenSource, interfaceBase: number, context: ScanContext): number {
  context.totals.add(result.report);
  context.onResult(result, interfaceBase);
  concludes(result, source, context.totals);
  return Number(result.report[REPORT.interfaceCount]);
}

/** The messages of a port until it closes, however late they are asked for. */
async function* received(port: MessagePort): AsyncGenerator<FromStream> {
  const waiting: FromStream[] = [];
  let closed = false;
  port.on('message', (message: FromStream) => waiting.push(message));
  port.on('close', () => (closed = true));
  for (;;) {
    const message = waiting.shift();
    if (message) yield message;
    else if (closed) return;
    else await Promise.race([once(port, 'message'), once(port, 'close')]);
  }
}
