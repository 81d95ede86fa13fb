/** A task that has a thread of its own: empty slots go to it and filled ones come back, by a message port. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { REPORT, STATUS } from '../native.js';
import type { ScanContext } from './context.js';
import { PortQueue } from './port-queue.js';
import { newSlot } from './slots.js';
import type { FromStream, ScanResult, ToStream } from './tasks.js';

/** Slots that it works with: one is filled while the other is on its way out. */
const SLOTS = 2;

/**
 * Starts the task and gives what it sends, one after another; its slot is the task's again when the next is asked for.
 * Whatever it asks for is answered; `laneOf`: what follows in a lane. Given up early, it ends before this does.
 */
export async function* exchangeSlots(
  context: ScanContext,
  start: (port: MessagePort) => Promise<ScanResult>,
  laneOf: () => ToStream | null = () => null,
): AsyncGenerator<FromStream, void> {
  const { port1, port2 } = new MessageChannel();
  const messages = new PortQueue<FromStream>(port1);
  const send = (message: ToStream): void => port1.postMessage(message);
  const running = start(port2);
  // A worker that fails sends nothing more.
  running.catch(() => port1.close());
  try {
    for (const slot of context.slots.slice(0, SLOTS)) send({ slot });
    for (let message = await messages.next(); message; message = await messages.next()) {
      yield message;
      const { result, slot, last } = message;
      if (last || !slot) break;
      if (result.status === STATUS.needProgram) {
        await context.addPrograms(Number(result.report[REPORT.detail]));
        send({ selection: context.selection });
      }
      if (result.status === STATUS.alone) send({ goOn: true });
      if (result.status === STATUS.needNext) send(laneOf() ?? { lane: null });
      const needed = result.status === STATUS.outputFull && result.outLength === 0 ? result.needed : 0;
      send({ slot: needed > slot.byteLength ? newSlot(needed) : slot });
    }
    await running;
  } finally {
    port1.close();
    await running.catch(() => {});
  }
}
