/** What comes by a message port, in order, however late it is asked for. */
import type { MessagePort } from 'node:worker_threads';

export class PortQueue<T> {
  private readonly waiting: T[] = [];
  private closed = false;
  private wake: () => void = () => {};

  constructor(port: MessagePort) {
    port.on('message', (message: T) => {
      this.waiting.push(message);
      this.wake();
    });
    port.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  /** null once the port is closed and nothing is left. One caller at a time. */
  async next(): Promise<T | null> {
    for (;;) {
      const message = this.waiting.shift();
      if (message !== undefined) return message;
      if (this.closed) return null;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
