/** Bodies that nobody wants any more, because the answer is known before their end: many clients read it when they have sent everything. */
import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { LIMITS } from '../config.js';

/**
 * Where the connection ends behind the answer, the answer waits for the end of the body: what came after it would break the
 * connection, and the answer be lost. One that would take too long is told at once.
 */
export function passRefusedBodies(app: FastifyInstance): void {
  app.addHook('onSend', async ({ raw }, { statusCode, raw: { shouldKeepAlive } }) => {
    if (statusCode < 400 || isOver(raw)) return;
    raw.resume();
    if (shouldKeepAlive || Number(raw.headers['content-length'] ?? 0) > LIMITS.refusedBodyBytes) return;
    await Promise.race([finished(raw).catch(() => undefined), sleep(LIMITS.refusedBodyMs, undefined, { ref: false })]);
  });
}

const isOver = (raw: IncomingMessage): boolean => raw.readableEnded || raw.destroyed;
