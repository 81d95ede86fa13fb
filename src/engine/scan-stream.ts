/** Scans a stream (compressed, or read once): one worker, from front to end; filled slots come by a port. */
import { MessageChannel } from 'node:worker_threads';
import { REPORT, STATUS } from '../native.js';
import { concludes, mixed, type Piece, type ScanContext } from './context.js';
import { PortQueue } from './port-queue.js';
import { newSlot } from './slots.js';
import { notACapture, type OpenSource } from './source.js';
import type { FromStream, ScanResult, ToStream } from './tasks.js';

/** Slots a stream works with: one is filled while the other is on its way out. */
const STREAM_SLOTS = 2;

export async function* scanStreamSource(source: OpenSource, interfaceBase: number, context: ScanContext): AsyncGenerator<Piece, number> {
  const { port1, port2 } = new MessageChannel();
  const messages = new PortQueue<FromStream>(port1);
  const send = (message: ToStream): void => port1.postMessage(message);
  // A pipe's descriptor is closed by whoever reads it.
  if (source.pipe) source.handOver();
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
    for (let message = await messages.next(); message; message = await messages.next()) {
      const { result, slot, last } = message;
      if (context.mixesLinkTypes(result)) throw mixed(source, Number(result.report[REPORT.linkTypeOut]));
      if (slot && result.outLength > 0) yield context.piece(result, slot, result.status === STATUS.budget);
      if (last || !slot) break;
      if (result.status === STATUS.needProgram) {
        await context.addPrograms(Number(result.report[REPORT.detail]));
        send({ selection: context.selection });
      }
      const needed = result.status === STATUS.outputFull && result.outLength === 0 ? result.needed : 0;
      send({ slot: needed > slot.byteLength ? newSlot(needed) : slot });
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
