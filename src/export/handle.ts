/** One export: its state, what it tells about itself, and what it holds open. */
import type { Estimate } from '../engine/estimate.js';
import type { FilterExplained } from '../engine/explain.js';
import type { PreparedExport } from '../engine/export.js';
import type { ExportRequest, Progress, Receipt } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import type { StoredExport } from '../state/exports.js';
import { formatEpoch } from '../units.js';
import { Deadline } from './deadline.js';
import { estimateFields, explainedFields } from './estimate-fields.js';
import { parseJson, writeJson } from './json.js';
import { isFinal, next, type Event } from './lifecycle.js';
import { receiptFields } from './receipt-fields.js';
import { limitsOf } from './request.js';
import { withDefaults, type Config, type Export, type State, type Stats, type StatusError } from './schema.js';
import type { Spool, SpoolFacts } from './spool.js';
import { finalStats, firstStats, percentOf, runningStats } from './stats.js';

/** What a client gave: the configuration, and properties of `export` that are its own. */
export interface Given {
  config: Config;
  additions: Record<string, unknown>;
}

/** `filter_context_sec`, which the schema has checked. */
export function contextOf({ additions }: Given): number {
  return Number(additions['filter_context_sec'] ?? 0);
}

/** What is kept of an export that has ended, or whose spool is complete. */
interface Outcome {
  progress: number;
  stats: Stats;
  receipt?: unknown;
  error?: StatusError;
  spool?: SpoolFacts;
}

export class ExportHandle {
  state: State = 'UNINITIALIZED';
  progress = 0;
  stats: Stats = firstStats(0);
  receipt: unknown;
  error: StatusError | undefined;
  /** What PREPARE found out. */
  estimate: Estimate | undefined;
  explained: FilterExplained[] = [];
  /** In BUFFER_STREAM, from the start of the run on. */
  spool: Spool | null = null;
  /** Clients that fetch from the spool at the moment. */
  downloads = 0;
  /** One of them got its end. */
  hasEnd = false;
  /** Held open until the end: the source, the place of the output file, the engine's export. */
  readonly held: { close(): Promise<void> }[] = [];
  /** What the engine's export reads. */
  sources: Pick<ExportRequest, 'sources' | 'windows' | 'filters' | 'seen'> | null = null;
  prepared: PreparedExport | null = null;
  /** Ends the run; the reason is the `SpillwayError` that the export then ends with. */
  readonly stopper = new AbortController();
  /** Runs while the export waits for its client, and again after its end. */
  readonly deadline = new Deadline();
  /** The client has everything; what is left to do takes a moment, and the state follows. */
  delivered = false;
  /** Told once at the end, with what went wrong. */
  onEnd: (error: unknown) => void = () => undefined;
  /** Settles when nothing runs for this export any more. */
  running: Promise<unknown> = Promise.resolve();
  readonly #watchers = new Set<() => void>();

  constructor(
    readonly id: string,
    readonly owner: string,
    readonly creationNs: bigint,
    public given: Given,
  ) {}

  /** An export of an earlier run of the server, as it was when that ended. */
  static restore({ id, owner, creationNs, state, request, outcome }: StoredExport): { handle: ExportHandle; spool: SpoolFacts | undefined } {
    const handle = new ExportHandle(id, owner, creationNs, parseJson(request) as Given);
    handle.state = state as State;
    const { spool, ...kept } = (outcome === null ? {} : parseJson(outcome)) as Partial<Outcome>;
    Object.assign(handle, kept);
    return { handle, spool };
  }

  stored(): StoredExport {
    const { id, owner, creationNs, state, progress, stats, receipt, error } = this;
    const spool = this.spool?.facts ?? undefined;
    const outcome = this.isFinal || spool ? writeJson({ progress, stats, receipt, error, spool }) : null;
    return { id, owner, creationNs, state, request: writeJson(this.given), outcome, deadlineNs: this.deadline.atNs };
  }

  get isFinal(): boolean {
    return isFinal(this.state);
  }

  /** Changes the state as the table says, or refuses with the state and, in ERRORS, the reason. */
  apply(event: Event): void {
    this.state = this.following(event);
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** The state that `event` would lead to; refuses as `apply` does. */
  following(event: Event): State {
    try {
      return next(this.state, event);
    } catch (error) {
      if (!(error instanceof SpillwayError)) throw error;
      const reason = this.error === undefined ? '' : ` (${this.error.error_id}: ${this.error.error_text})`;
      throw new SpillwayError(error.code, `export ${this.id}: ${error.message}${reason}`);
    }
  }

  get mode(): NonNullable<Config['mode']> {
    return this.given.config.mode ?? 'LEGACY';
  }

  advance(progress: Progress): void {
    const percent = percentOf(progress, 0);
    // Of two ways, into the spool and out of it, this is the first.
    this.progress = Math.max(this.progress, this.spool ? percent / 2 : percent);
    this.stats = runningStats(progress, limitsOf(this.given.config), this.stats);
  }

  /** The second way: bytes that a client has of what is spooled. */
  advanceDownload(bytes: number): void {
    const total = this.spool?.sizeBytes ?? 0;
    if (total > 0) this.progress = Math.max(this.progress, Math.min(50 + (50 * bytes) / total, 99.99));
  }

  succeed(event: 'finish' | 'empty' | 'prepared', receipt: Receipt): void {
    this.receipt = receiptFields(receipt);
    this.stats = finalStats(receipt, this.stats);
    this.progress = event === 'prepared' ? 50 : 100;
    this.apply(event);
  }

  failWith(error: SpillwayError): void {
    if (error.code === 'CLIENT_LEFT' && this.mode === 'LIVE_STREAM' && this.state === 'STREAMING') {
      this.progress = 100;
      return this.apply('enough');
    }
    const metrics = Object.entries(error.metrics).map(([key, value]) => ({ key, value }));
    this.error = { error_id: error.code, error_text: error.message, ...(metrics.length > 0 && { error_metrics: metrics }) };
    this.apply(error.code === 'CLIENT_LEFT' && this.state === 'STREAMING' ? 'leave' : 'fail');
  }

  /** Resolves once there is something to fetch, or the export has failed at it; rejects with the reason of `signal`, or when the export is stopped. */
  async initialised(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.stopper.signal]);
    while (this.state === 'UNINITIALIZED' || this.state === 'INITIALIZING' || (this.state === 'RUNNING' && this.spool)) {
      either.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#watchers.delete(wake);
          either.removeEventListener('abort', wake);
          resolve();
        };
        this.#watchers.add(wake);
        either.addEventListener('abort', wake);
      });
    }
    signal.throwIfAborted();
  }

  /** Closes what is held, the last first; safe to call again. */
  async release(): Promise<void> {
    // A descriptor that does not close is nothing that a caller could mend.
    for (const held of this.held.splice(0).reverse()) await held.close().catch(() => undefined);
  }

  /** The resource as clients read it. */
  view(): Export {
    return {
      ...this.given.additions,
      config: withDefaults(this.given.config),
      id: this.id,
      status: {
        creation_time: formatEpoch(this.creationNs),
        owner: this.owner,
        progress: this.progress,
        state: this.state,
        stats: this.stats,
        ...(this.state === 'ERRORS' && this.error !== undefined && { error: this.error }),
      },
      ...(this.receipt !== undefined && { receipt: this.receipt }),
      ...(this.estimate !== undefined && { estimate: { ...estimateFields(this.estimate), filters: this.explained.map(explainedFields) } }),
    };
  }
}
