/** The log: one JSON object a line, on stderr. No part of a request gets into it that may hold a secret. */
import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify';
import type { LogLevel } from '../../config.js';
import type { ExportEvent } from '../../export/contract.js';

/** Fastify's logger options; false: none. */
export function loggerOf(level: LogLevel): NonNullable<FastifyServerOptions['logger']> {
  if (level === 'silent') return false;
  return {
    level,
    stream: process.stderr,
    // Whoever logs one of these means to say which: addresses, headers and bodies stay out.
    serializers: {
      req: ({ id, method }: { id: string; method: string }) => ({ id, method }),
      res: ({ statusCode }) => ({ statusCode: statusCode ?? 0 }),
      err: (error: Error & { code?: unknown }) => ({ type: error.name, message: error.message, stack: error.stack ?? '', code: error.code }),
    },
  };
}

export function logExport(log: FastifyBaseLogger, event: ExportEvent): void {
  const { step, id, owner, mode, ...facts } = event;
  const about = { export_id: id, user: owner, mode };
  if (step === 'created') return log.info({ ...about, path: event.path }, 'export created');
  const { outcome, errorId, bytes, packets, ms } = facts as Extract<ExportEvent, { step: 'ended' }>;
  log.info(
    { ...about, state: outcome, ...(errorId !== null && { error_id: errorId }), bytes: Number(bytes), packets: Number(packets), ms },
    'export ended',
  );
}
