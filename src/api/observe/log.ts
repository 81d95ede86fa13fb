/** The log: one JSON object a line, on stderr. No part of a request gets into it that may hold a secret. */
import type { FastifyBaseLogger, FastifyServerOptions } from 'fastify';
import type { LogLevel } from '../../config.js';
import type { ExportEvent } from '../../export/contract.js';
import type { LogRing } from './log-ring.js';

/** What is kept for diagnostic packages, whatever goes to stderr: with a line for each request. */
const KEPT_LEVEL = 'info';
/** Of the levels in a line. */
const NUMBERS: Record<LogLevel, number> = { debug: 20, info: 30, warn: 40, error: 50, silent: Infinity };
const LEVEL = /^\{"level":(\d+)/;

/** Fastify's logger options. `stderr` gets what `level` says; `ring` that, and all from `info` on. */
export function loggerOf(
  level: LogLevel,
  ring: LogRing,
  stderr: Pick<NodeJS.WritableStream, 'write'> = process.stderr,
): NonNullable<FastifyServerOptions['logger']> {
  const write = (line: string): void => {
    ring.add(line);
    if (Number(LEVEL.exec(line)?.[1]) >= NUMBERS[level]) stderr.write(line);
  };
  return {
    level: NUMBERS[level] < NUMBERS[KEPT_LEVEL] ? level : KEPT_LEVEL,
    stream: { write },
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
