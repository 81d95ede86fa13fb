/** Scans a stream (compressed, or read once): one worker, from front to end. */
import { SpillwayError } from '../errors.js';
import { REPORT, STATUS } from '../native.js';
import { concludes, mixed, type Piece, type ScanContext } from './context.js';
import { exchangeSlots } from './slot-exchange.js';
import type { OpenSource } from './open-source.js';
import { notACapture } from './source.js';

export async function* scanStreamSource(source: OpenSource, interfaceBase: number, context: ScanContext): AsyncGenerator<Piece, number> {
  // A pipe's descriptor is closed by whoever reads it.
  if (source.pipe) source.handOver();
  const task = {
    selection: context.selection,
    control: context.control,
    input: { fd: source.fd, compression: source.compression, pipe: source.pipe },
    interfaceBase,
    limits: context.totals.left(context.rules),
    numberFrom: context.totals.numbered,
  };
  for await (const { result, slot, last } of exchangeSlots(context, (port) => context.pool.stream({ ...task, port }))) {
    if (context.mixesLinkTypes(result)) throw mixed(source, Number(result.report[REPORT.linkTypeOut]));
    if (slot && result.outLength > 0) yield context.piece(result, slot, result.status === STATUS.budget);
    if (!last) continue;
    if (result.info?.sections === 0 && result.status === STATUS.damage) throw notACapture(source.name, result.damage);
    context.totals.add(result.report);
    context.onResult(result, interfaceBase);
    concludes(result, source, context.totals);
    return Number(result.report[REPORT.interfaceCount]);
  }
  throw new SpillwayError('INTERNAL', `${source.name}: the worker ended without a word`);
}
