/** The exports of a probe: made, watched, fetched, removed. The states are the lifecycle's; this decides when they change. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../config.js';
import { maySee, type Caller } from '../access/caller.js';
import type { PreparedExport } from '../engine/export.js';
import type { CapturedName, CapturedSources, CaptureWish } from '../capture/captured-sources.js';
import type { ExportFormat, ExportRequest, Sink } from '../engine/types.js';
import { SpillwayError, coded } from '../errors.js';
import type { ExportStore } from '../state/exports.js';
import type { FileSystem, Opened } from '../state/filesystem.js';
import { ExportHandle, type Given } from './handle.js';
import { checkRequest, formatOf, type CheckedRequest } from './request.js';
import { endWith, runToClient, runToFile } from './run.js';
import { isSameButForMode, isSameMode, type Export } from './schema.js';
import { NS_PER_MS } from '../units.js';
import { Turns } from './turns.js';

export interface Dependencies {
  prepare: (request: ExportRequest) => Promise<PreparedExport>;
  /** What an export of captured traffic reads; rejects where there is nothing of that name, or nothing in it. */
  openCaptured: (name: CapturedName, wish: CaptureWish) => Promise<CapturedSources>;
  store: ExportStore;
  files: FileSystem;
  /** Hears of failures that no request waits for. */
  report?: (error: Error) => void;
}

/** A client that fetches packets. */
export interface Download {
  /** Aborts when the client leaves, with the `SpillwayError` that says so. */
  signal: AbortSignal;
  /** Where the bytes go; called once, when there is something to fetch. */
  open: (id: string, source: string, format: ExportFormat) => Sink;
}

export class ExportService {
  readonly #exports = new Map<string, ExportHandle>();
  readonly #prepare: Dependencies['prepare'];
  readonly #openCaptured: Dependencies['openCaptured'];
  readonly #store: ExportStore;
  readonly #files: FileSystem;
  readonly #report: (error: Error) => void;
  readonly #turns = new Turns(LIMITS.runningExports);
  /** Requests that are being checked and will become exports. */
  #creating = 0;
  #closed = false;

  constructor({ prepare, openCaptured, store, files, report = () => undefined }: Dependencies) {
    this.#prepare = prepare;
    this.#openCaptured = openCaptured;
    this.#store = store;
    this.#files = files;
    this.#report = report;
    for (const stored of store.all()) this.#restore(ExportHandle.restore(stored));
  }

  /** Makes an export. What is wrong with it is refused here, unless the engine takes longer than a second to find it. */
  async create(given: Given, caller: Caller): Promise<Export> {
    const nowNs = BigInt(Date.now()) * NS_PER_MS;
    const checked = checkRequest(given.config, nowNs);
    this.#requireRoom();
    this.#creating++;
    try {
      return await this.#create(given, caller, checked, nowNs);
    } finally {
      this.#creating--;
    }
  }

  /** Oldest first; `path` keeps the exports of that source. */
  async list(caller: Caller, path?: string): Promise<Export[]> {
    const all = [...this.#exports.values()].filter((handle) => maySee(caller, handle.owner));
    return Promise.all(all.filter((handle) => path === undefined || handle.given.config.path === path).map(settledView));
  }

  async get(id: string, caller: Caller): Promise<Export> {
    return settledView(this.#find(id, caller));
  }

  /** Takes an export as its client read it. Only the mode may differ, and only while the export waits for one. */
  replace(id: string, caller: Caller, { config }: Given): Export {
    const handle = this.#find(id, caller);
    const before = handle.given.config;
    if (!isSameButForMode(before, config)) {
      throw new SpillwayError('EXPORT_STATE', `export ${id}: nothing but config.mode of an export can be changed`);
    }
    if (!isSameMode(before, config)) {
      throw new SpillwayError('EXPORT_STATE', `export ${id}: config.mode can be changed in the mode PREPARE only: state ${handle.state}`);
    }
    if (handle.state === 'RUNNING' && handle.given.config.mode !== 'STREAM_TO_FILE') this.#awaitClient(handle);
    return handle.view();
  }

  /** Removes an export; what it was doing has ended when this resolves. An output file stays. */
  async remove(id: string, caller: Caller): Promise<void> {
    await this.#remove(this.#find(id, caller));
  }

  /** Streams the packets to a client, held until the export is ready. Rejects if they could not all be handed over. */
  async fetch(id: string, caller: Caller, download: Download): Promise<void> {
    const handle = this.#find(id, caller);
    const { config } = handle.given;
    if (config.mode === 'STREAM_TO_FILE') {
      throw new SpillwayError('EXPORT_STATE', `export ${id}: its packets go to ${config.output_filename}: state ${handle.state}`);
    }
    await handle.initialised(download.signal);
    if (!this.#turns.tryTake()) {
      throw new SpillwayError('TOO_MANY_EXPORTS', `${LIMITS.runningExports} exports are running: no more may at once`);
    }
    try {
      await this.#stream(handle, download);
    } finally {
      this.#turns.give();
    }
  }

  /** Ends everything that runs; exports that had not ended come back as interrupted. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#exports.values()];
    for (const handle of all) {
      handle.deadline.stop();
      handle.stopper.abort(interrupted());
    }
    await Promise.all(all.map((handle) => handle.running.then(() => handle.release())));
  }

  async #stream(handle: ExportHandle, download: Download): Promise<void> {
    handle.apply('stream');
    handle.deadline.stop();
    const leave = (): void => handle.stopper.abort(download.signal.reason);
    download.signal.addEventListener('abort', leave);
    if (download.signal.aborted) leave();
    const { config } = handle.given;
    await runToClient(handle, download.open(handle.id, config.path, formatOf(config)), this.#turns);
  }

  async #create(given: Given, caller: Caller, checked: CheckedRequest, nowNs: bigint): Promise<Export> {
    const handle = new ExportHandle(randomUUID(), caller.name, nowNs, given);
    handle.onEnd = (error) => this.#ended(handle, error);
    let preparing: Promise<PreparedExport> | undefined;
    try {
      const reading = await this.#sourcesOf(handle, checked);
      const place = checked.output === null ? null : await this.#files.place(checked.output, caller.name);
      if (place !== null) handle.held.push(place);
      handle.apply('initialise');
      preparing = this.#prepare({ ...checked.selection, ...reading });
      const early = await Promise.race([preparing, sleep(LIMITS.prepareWaitMs, null, { ref: false })]);
      this.#exports.set(handle.id, handle);
      this.#store.save(handle.stored());
      if (early !== null) this.#start(handle, early, place);
      else handle.running = this.#startLater(handle, preparing, place);
      return handle.view();
    } catch (error) {
      this.#exports.delete(handle.id);
      void preparing?.then((prepared) => prepared.close()).catch(() => undefined);
      await handle.release();
      throw error;
    }
  }

  async #sourcesOf({ held, given }: ExportHandle, checked: CheckedRequest): Promise<Pick<ExportRequest, 'sources' | 'windows' | 'filters'>> {
    const { source, isFollowed, selection } = checked;
    const { windows, filters } = selection;
    if (source.kind === 'fs') {
      const file = await this.#files.openFile(source.name, given.config.path);
      held.push(file);
      return { sources: [{ path: file.path, name: file.name }], windows, filters };
    }
    const captured = await this.#openCaptured(source, { windows, isFollowed });
    held.push(captured);
    const sources = captured.lanes.map((lane) => ({ lane, name: lane.name }));
    return { sources, windows: [...captured.windows], filters: [...filters, ...captured.filters] };
  }

  async #startLater(handle: ExportHandle, preparing: Promise<PreparedExport>, place: Opened | null): Promise<void> {
    try {
      this.#start(handle, await preparing, place);
    } catch (error) {
      await endWith(handle, error);
    }
  }

  #start(handle: ExportHandle, prepared: PreparedExport, place: Opened | null): void {
    handle.held.push(prepared);
    if (handle.stopper.signal.aborted) return void handle.release();
    handle.prepared = prepared;
    handle.stats = { ...handle.stats, total_bytes: prepared.bytesTotal };
    handle.apply('start');
    if (place === null) this.#awaitClient(handle);
    else handle.running = runToFile(handle, place, this.#turns);
  }

  /** What follows an end: it is kept, and listed for as long as its client asked. */
  #ended(handle: ExportHandle, error: unknown): void {
    if (error !== null && coded(error).code === 'INTERNAL') this.#report(error as Error);
    if (this.#exports.get(handle.id) !== handle) return;
    this.#keep(handle);
    this.#awaitRemoval(handle);
  }

  /** The clock of a waiting export; a time of 0 waits for ever. */
  #awaitClient(handle: ExportHandle): void {
    const { connection_timeout_msec: ms } = handle.view().config;
    if (ms !== undefined && ms > 0 && !this.#closed) handle.deadline.start(ms, () => this.#expire(handle));
  }

  #awaitRemoval(handle: ExportHandle): void {
    if (this.#closed) return;
    handle.deadline.start(handle.view().config.handle_timeout_msec ?? 0, () => this.#expire(handle));
  }

  #expire(handle: ExportHandle): void {
    this.#remove(handle).catch((error: unknown) => this.#report(error as Error));
  }

  async #remove(handle: ExportHandle): Promise<void> {
    this.#exports.delete(handle.id);
    handle.deadline.stop();
    handle.stopper.abort(new SpillwayError('CANCELLED', `export ${handle.id} was deleted`));
    this.#store.remove(handle.id);
    await handle.running;
    await handle.release();
  }

  #restore(handle: ExportHandle): void {
    this.#exports.set(handle.id, handle);
    if (!handle.isFinal) {
      handle.failWith(interrupted());
      this.#keep(handle);
    }
    this.#awaitRemoval(handle);
  }

  /** The state in memory is what counts while the server runs; that it could not be kept must not end an export. */
  #keep(handle: ExportHandle): void {
    try {
      this.#store.save(handle.stored());
    } catch (error) {
      this.#report(error as Error);
    }
  }

  #find(id: string, caller: Caller): ExportHandle {
    const handle = this.#exports.get(id);
    if (handle === undefined || !maySee(caller, handle.owner)) {
      throw new SpillwayError('EXPORT_NOT_FOUND', `there is no export ${JSON.stringify(id.length > 100 ? `${id.slice(0, 100)}…` : id)}`);
    }
    return handle;
  }

  #requireRoom(): void {
    const active = [...this.#exports.values()].filter((handle) => !handle.isFinal).length + this.#creating;
    const kept = this.#exports.size + this.#creating;
    if (active >= LIMITS.activeExports)
      throw new SpillwayError('TOO_MANY_EXPORTS', `${active} exports have not ended: no more than ${LIMITS.activeExports} may exist`);
    if (kept >= LIMITS.keptExports)
      throw new SpillwayError('TOO_MANY_EXPORTS', `${kept} exports are listed: no more than ${LIMITS.keptExports} may be`);
  }
}

/** A client that has fetched everything must not read that it is still being sent. */
async function settledView(handle: ExportHandle): Promise<Export> {
  if (handle.delivered) await handle.running;
  return handle.view();
}

const interrupted = (): SpillwayError => new SpillwayError('INTERRUPTED', 'the server ended before the export did');
