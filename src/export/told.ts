/** What others are told of exports: the audit, logs and counters, and whoever fetches one. */
import type { Caller } from '../access/caller.js';
import type { Dependencies, ExportFigures, ExportNote, Outcome, Output } from './contract.js';
import type { ExportHandle } from './handle.js';
import { formatOf } from './request.js';
import type { Export, Mode, State } from './schema.js';
import type { Turns } from './turns.js';
import { NS_PER_MS } from '../units.js';

/** Tells that an export was made, and once that it has ended: what is spooled may be fetched again behind its end. */
export class Teller {
  readonly #told = new WeakSet<ExportHandle>();

  constructor(private readonly tell: NonNullable<Dependencies['tell']>) {}

  created(handle: ExportHandle): void {
    const { id, owner, mode, given } = handle;
    this.tell({ step: 'created', id, owner, mode, path: given.config.path });
  }

  /** It was told of by an earlier run of the server. */
  skip(handle: ExportHandle): void {
    this.#told.add(handle);
  }

  /** Where it has ended, or is removed. */
  ended(handle: ExportHandle, isRemoved = false): void {
    if ((!handle.isFinal && !isRemoved) || this.#told.has(handle)) return;
    this.#told.add(handle);
    const { id, owner, mode, stats, creationNs } = handle;
    const { exported_bytes: bytes = 0, exported_packets: packets = 0 } = stats;
    const outcome = handle.isFinal ? (handle.state as Outcome) : 'REMOVED';
    const ms = Date.now() - Number(creationNs / NS_PER_MS);
    const errorId = (outcome === 'ERRORS' && handle.error?.error_id) || null;
    this.tell({ step: 'ended', id, owner, mode, outcome, errorId, bytes, packets, ms });
  }

  hasTold(handle: ExportHandle): boolean {
    return this.#told.has(handle);
  }
}

export function noteOf(
  action: ExportNote['action'],
  handle: ExportHandle,
  { name, address = 'local' }: Pick<Caller, 'name' | 'address'>,
): ExportNote {
  const { id, given, stats, state } = handle;
  const filter = (given.config.filters?.items ?? []).map(({ value }) => value).join(' && ');
  const bytes = action === 'export.create' || action === 'export.delete' ? {} : { bytes: stats.exported_bytes ?? 0 };
  return { action, who: name, address, what: id, path: given.config.path, filter, state, ...bytes };
}

export function outputOf({ id, given: { config } }: ExportHandle): Output {
  return { id, source: config.path, format: formatOf(config) };
}

/** A client that has fetched everything must not read that it is still being sent. */
export async function settledView(handle: ExportHandle): Promise<Export> {
  if (handle.delivered) await handle.running;
  return handle.view();
}

/** `teller`: whose totals have those that have ended. */
export function figuresOf(handles: Iterable<ExportHandle>, teller: Teller, stored: Turns, live: Turns, spoolBytes: number): ExportFigures {
  const figures = { byModeAndState: new Map<Mode, Map<State, number>>(), bytes: 0, packets: 0, downloads: 0 };
  for (const handle of handles) {
    const { mode, state, stats, downloads } = handle;
    const states = figures.byModeAndState.get(mode) ?? new Map<State, number>();
    figures.byModeAndState.set(mode, states);
    states.set(state, (states.get(state) ?? 0) + 1);
    figures.downloads += downloads === 0 && state === 'STREAMING' ? 1 : downloads;
    if (teller.hasTold(handle)) continue;
    figures.bytes += Number(stats.exported_bytes ?? 0);
    figures.packets += Number(stats.exported_packets ?? 0);
  }
  const turnsOf = ({ taken, waiting }: Turns): { taken: number; waiting: number } => ({ taken, waiting });
  return { ...figures, turns: { stored: turnsOf(stored), live: turnsOf(live) }, spoolBytes };
}
