/** How long a request's body may take: one of JSON a while in all, a file as long as it goes on coming. */
import type { FastifyInstance } from 'fastify';
import { LIMITS } from '../config.js';
import { answerAndClose } from './errors.js';

const LOOKS = 8;

export interface BodyTimes {
  /** For the whole of a body that is read before it is looked at. */
  wholeMs: number;
  /** Without a byte. */
  idleMs: number;
}

export function limitBodies(app: FastifyInstance, { wholeMs, idleMs }: BodyTimes = { wholeMs: LIMITS.bodyMs, idleMs: LIMITS.bodyIdleMs }): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    const { socket } = raw;
    done();
    const { 'content-length': length = '0', 'transfer-encoding': coding } = raw.headers;
    if (raw.complete || (length === '0' && coding === undefined)) return;
    const isRaw = request.routeOptions.config?.isRaw === true;
    const beganMs = performance.now();
    let [seen, seenMs] = [socket.bytesRead, beganMs];
    const timer = setInterval(
      () => {
        const now = performance.now();
        // What has come and is not taken yet is ours to take.
        if (socket.bytesRead !== seen || (isRaw && raw.readableLength > 0)) [seen, seenMs] = [socket.bytesRead, now];
        if (now - seenMs < idleMs && (isRaw || now - beganMs < wholeMs)) return;
        clearInterval(timer);
        // An answer behind another one would be taken for that of the next request.
        if (reply.raw.headersSent) socket.destroy();
        else answerAndClose(socket, 'REQUEST_TIMEOUT', 'the body of the request did not arrive in time');
      },
      Math.min(wholeMs, idleMs) / LOOKS,
    ).unref();
    const stop = (): void => clearInterval(timer);
    raw.once('end', stop);
    raw.once('close', stop);
  });
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its body is a file, however long. */
    isRaw?: boolean;
  }
}
