/** The exports of a probe: made, watched, fetched, removed. The states are the lifecycle's; this decides when they change. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../config.js';
import { maySee, type Caller } from '../access/caller.js';
import type { PreparedExport } from '../engine/export.js';
import type { Sink } from '../engine/types.js';
import { SpillwayError, coded } from '../errors.js';
import type { Opened } from '../state/filesystem.js';
import type { Dependencies, Download, ExportFigures, ExportNote } from './contract.js';
import { estimatedStats } from './estimate-fields.js';
import { commentsOf } from './comments.js';
import { contextOf, ExportHandle, type Given } from './handle.js';
import { checkRequest, type CheckedRequest } from './request.js';
import { openPlace, openSources } from './open-sources.js';
import { Patience } from './patience.js';
import { endWith, runToClient, runToFile, runToSpool } from './run.js';
import { isSameButForMode, type Export, type Uint64 } from './schema.js';
import { requireRoom } from './room.js';
import { figuresOf, noteOf, outputOf, settledView, Teller } from './told.js';
import { fetchOverflowing, fetchSpooled } from './spool-fetch.js';
import type { SpoolFacts } from './spool.js';
import { packageVersion } from '../root.js';
import { NS_PER_MS } from '../units.js';
import { Turns } from './turns.js';

export class ExportService {
  readonly #exports = new Map<string, ExportHandle>();
  readonly #dependencies: Required<Dependencies>;
  readonly #turns = new Turns(LIMITS.runningExports, LIMITS.runningExportsOfUser);
  readonly #liveTurns = new Turns(LIMITS.liveExports, LIMITS.liveExportsOfUser);
  /** Requests that are being checked and will become exports, of each user. */
  readonly #creating = new Map<string, number>();
  readonly #teller: Teller;
  #closed = false;

  private constructor(dependencies: Dependencies) {
    const silent = { report: () => undefined, audit: () => undefined, tell: () => undefined };
    this.#dependencies = { ...silent, turnWaitMs: LIMITS.turnWaitMs, stallMs: LIMITS.stallMs, ...dependencies };
    this.#teller = new Teller(this.#dependencies.tell);
  }

  /** With the exports of earlier runs. */
  static async open(dependencies: Dependencies): Promise<ExportService> {
    const service = new ExportService(dependencies);
    const { store, spools } = dependencies;
    for (const stored of store.all()) {
      const { handle, spool } = ExportHandle.restore(stored);
      await service.#restore(handle, spool, stored.deadlineNs);
    }
    // Also the beginning of one whose export was interrupted.
    const spooled = [...service.#exports.values()].filter(({ spool }) => spool !== null);
    await spools.sweep(new Set(spooled.map(({ id }) => id)));
    return service;
  }

  /** Makes an export. What is wrong with it is refused here, unless the engine takes longer than a second to find it. */
  async create(given: Given, caller: Caller): Promise<Export> {
    const nowNs = BigInt(Date.now()) * NS_PER_MS;
    const checked = checkRequest(given.config, nowNs, contextOf(given));
    requireRoom(this.#exports.values(), this.#creating, caller.name);
    if (this.#exports.size >= LIMITS.keptExports) this.#forgetOldest();
    this.#creating.set(caller.name, (this.#creating.get(caller.name) ?? 0) + 1);
    try {
      return await this.#create(given, caller, checked, nowNs);
    } finally {
      const left = this.#creating.get(caller.name)! - 1;
      if (left > 0) this.#creating.set(caller.name, left);
      else this.#creating.delete(caller.name);
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

  /**
   * Takes an export as its client read it. Only the mode may differ, and only while the export waits for one. Begins the time anew
   * that the export waits.
   */
  async replace(id: string, caller: Caller, { config }: Given): Promise<Export> {
    const handle = this.#find(id, caller);
    if (!isSameButForMode(handle.given.config, config)) {
      throw new SpillwayError('EXPORT_STATE', `export ${id}: nothing but config.mode of an export can be changed`);
    }
    const mode = config.mode ?? 'LEGACY';
    if (mode !== handle.mode) {
      if (handle.mode !== 'PREPARE') {
        throw new SpillwayError('EXPORT_STATE', `export ${id}: config.mode can be changed in the mode PREPARE only: state ${handle.state}`);
      }
      await handle.initialised(NEVER);
      await this.#changeMode(handle, caller, config);
    } else if (this.#waitsForClient(handle)) this.#awaitClient(handle);
    return handle.view();
  }

  /** Removes an export; what it was doing has ended when this resolves. An output file stays. */
  async remove(id: string, caller: Caller): Promise<void> {
    const handle = this.#find(id, caller);
    await this.#remove(handle);
    this.#note('export.delete', handle, caller);
  }

  /** Sends the packets to a client, held until there are some. Rejects if they could not all be handed over. */
  async fetch(id: string, caller: Caller, download: Download): Promise<void> {
    const handle = this.#find(id, caller);
    const { config } = handle.given;
    if (handle.mode === 'STREAM_TO_FILE') {
      throw new SpillwayError('EXPORT_STATE', `export ${id}: its packets go to ${config.output_filename}: state ${handle.state}`);
    }
    await handle.initialised(download.signal);
    const open = (): Sink => download.open(outputOf(handle));
    try {
      if (handle.spool?.facts) await this.#fetchAgain(handle, download);
      else if (handle.spool && !handle.isFinal) await this.#fetchOverflowing(handle, download, open);
      else await this.#stream(handle, download, open);
    } finally {
      this.#note('export.download', handle, caller);
    }
  }

  /** All of them as they are at the moment, newest first; each is made as it is asked for. */
  *views(): Generator<Export> {
    for (const handle of [...this.#exports.values()].reverse()) yield handle.view();
  }

  figures(): ExportFigures {
    return figuresOf(this.#exports.values(), this.#teller, this.#turns, this.#liveTurns, this.#dependencies.spools.usedBytes);
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

  async #stream(handle: ExportHandle, download: Download, open: () => Sink): Promise<void> {
    // Before it waits for a turn that it could not use.
    handle.following('stream');
    const turns = this.#turnsOf(handle);
    await this.#takeTurn(turns, handle, download.signal);
    const patience = new Patience(handle, turns, this.#dependencies.stallMs);
    const leave = (): void => handle.stopper.abort(download.signal.reason);
    try {
      handle.apply('stream');
      handle.deadline.stop();
      download.signal.addEventListener('abort', leave);
      if (download.signal.aborted) leave();
      await runToClient(handle, patience.watch(open()), turns);
    } finally {
      patience.end();
      turns.give(handle.owner);
    }
  }

  async #takeTurn(turns: Turns, { owner, stopper }: ExportHandle, left: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(this.#dependencies.turnWaitMs);
    try {
      await turns.take(owner, AbortSignal.any([left, late, stopper.signal]));
    } catch (error) {
      if (left.aborted || stopper.signal.aborted) throw error;
      throw new SpillwayError('TOO_MANY_EXPORTS', `${turns.taken} exports are running: no more may at once`);
    }
  }

  async #fetchAgain(handle: ExportHandle, download: Download): Promise<void> {
    try {
      await fetchSpooled(handle, (spooled, signal) => download.send(outputOf(handle), spooled, signal));
    } finally {
      if (handle.downloads === 0 && this.#exports.get(handle.id) === handle) {
        if (handle.isFinal) this.#awaitRemoval(handle);
        else this.#awaitClient(handle);
        this.#keep(handle);
        this.#teller.ended(handle);
      }
    }
  }

  async #fetchOverflowing(handle: ExportHandle, download: Download, open: () => Sink): Promise<void> {
    const patience = new Patience(handle, this.#turns, this.#dependencies.stallMs);
    try {
      await fetchOverflowing(handle, download.signal, () => patience.watch(open()));
    } finally {
      patience.end();
      if (this.#waitsForClient(handle)) this.#awaitClient(handle);
    }
  }

  async #create(given: Given, caller: Caller, checked: CheckedRequest, nowNs: bigint): Promise<Export> {
    const handle = new ExportHandle(randomUUID(), caller.name, nowNs, given);
    handle.onEnd = (error) => this.#ended(handle, error);
    let preparing: Promise<PreparedExport> | undefined;
    try {
      const place = await this.#openAll(handle, caller, checked);
      handle.apply('initialise');
      preparing = this.#prepareFrom(handle, checked);
      const early = await Promise.race([preparing, sleep(LIMITS.prepareWaitMs, null, { ref: false })]);
      this.#exports.set(handle.id, handle);
      await this.#dependencies.store.save(handle.stored());
      if (early !== null) await this.#start(handle, early, place);
      else handle.running = this.#startLater(handle, preparing, place);
      this.#note('export.create', handle, caller);
      this.#teller.created(handle);
      return handle.view();
    } catch (error) {
      this.#exports.delete(handle.id);
      void preparing?.then((prepared) => prepared.close()).catch(() => undefined);
      await handle.release();
      throw error;
    }
  }

  /** Opens what the export reads, and the place of its output file. */
  async #openAll(handle: ExportHandle, caller: Caller, checked: CheckedRequest): Promise<Opened | null> {
    handle.sources = await openSources(handle, caller, checked, this.#dependencies);
    if (checked.output === null || checked.mode !== 'STREAM_TO_FILE') return null;
    const place = await openPlace(this.#dependencies.files, checked.output, caller.name);
    handle.held.push(place);
    return place;
  }

  async #prepareFrom(handle: ExportHandle, { mode, selection }: CheckedRequest): Promise<PreparedExport> {
    const prepared = await this.#dependencies.prepare({ ...selection, ...handle.sources!, comments: commentsOf(handle, packageVersion()) });
    if (mode !== 'PREPARE') return prepared;
    handle.estimate = await prepared.estimate();
    handle.explained = await prepared.explain();
    return prepared;
  }

  /** From PREPARE to another mode. What a live stream reads begins where the export was made. */
  async #changeMode(handle: ExportHandle, caller: Caller, config: Given['config']): Promise<void> {
    const checked = checkRequest(config, handle.creationNs, contextOf(handle.given));
    if (handle.state !== 'READY') handle.following('start');
    let place: Opened | null = null;
    let prepared = handle.prepared!;
    if (checked.isFollowed) {
      await handle.release();
      await this.#openAll(handle, caller, checked);
      prepared = await this.#prepareFrom(handle, checked);
    } else if (checked.mode === 'STREAM_TO_FILE') {
      place = await openPlace(this.#dependencies.files, checked.output!, handle.owner);
      handle.held.push(place);
    }
    handle.given = { ...handle.given, config };
    this.#keep(handle);
    await this.#start(handle, prepared, place);
  }

  async #startLater(handle: ExportHandle, preparing: Promise<PreparedExport>, place: Opened | null): Promise<void> {
    try {
      await this.#start(handle, await preparing, place);
    } catch (error) {
      await endWith(handle, error);
    }
  }

  /** The engine is ready: what follows is the mode's. */
  async #start(handle: ExportHandle, prepared: PreparedExport, place: Opened | null): Promise<void> {
    if (handle.prepared !== prepared) handle.held.push(prepared);
    if (handle.stopper.signal.aborted) return void handle.release();
    handle.prepared = prepared;
    handle.stats = { ...handle.stats, total_bytes: prepared.bytesTotal };
    const { mode } = handle;
    if (mode === 'PREPARE') {
      handle.stats = { ...handle.stats, ...(handle.estimate && estimatedStats(handle.estimate)) };
      handle.apply('prepared');
      return this.#awaitClient(handle);
    }
    if (mode === 'BUFFER_STREAM') {
      handle.spool = await this.#dependencies.spools.create(handle.id);
      handle.apply('start');
      handle.running = runToSpool(handle, handle.spool, this.#turns, () => this.#spooled(handle));
      return;
    }
    handle.apply('start');
    if (place === null) this.#awaitClient(handle);
    else handle.running = runToFile(handle, place, this.#turns);
  }

  #spooled(handle: ExportHandle): void {
    this.#awaitClient(handle);
    this.#keep(handle);
  }

  /** What follows an end: it is kept, and listed for as long as its client asked. */
  #ended(handle: ExportHandle, error: unknown): void {
    if (error !== null && coded(error).code === 'INTERNAL') this.#dependencies.report(error as Error);
    if (handle.mode === 'STREAM_TO_FILE') this.#note('export.write', handle, { name: handle.owner });
    this.#teller.ended(handle);
    if (this.#exports.get(handle.id) !== handle) return;
    this.#awaitRemoval(handle);
    this.#keep(handle);
  }

  /** The clock of a waiting export; a time of 0 waits for ever. */
  #awaitClient(handle: ExportHandle): void {
    const { connection_timeout_msec: ms } = handle.view().config;
    if (ms !== undefined && ms > 0 && !this.#closed) handle.deadline.start(ms, () => this.#expire(handle));
  }

  #awaitRemoval(handle: ExportHandle, ms: Uint64 = handle.view().config.handle_timeout_msec ?? 0): void {
    if (!this.#closed) handle.deadline.start(ms, () => this.#expire(handle));
  }

  /** It does nothing until its client comes. */
  #waitsForClient({ state, mode, downloads }: ExportHandle): boolean {
    if (state === 'READY') return downloads === 0;
    return state === 'RUNNING' && mode !== 'STREAM_TO_FILE' && mode !== 'BUFFER_STREAM';
  }

  #turnsOf({ mode }: ExportHandle): Turns {
    return mode === 'LIVE_STREAM' ? this.#liveTurns : this.#turns;
  }

  #expire(handle: ExportHandle): void {
    this.#remove(handle).catch((error: unknown) => this.#dependencies.report(error as Error));
  }

  async #remove(handle: ExportHandle): Promise<void> {
    this.#exports.delete(handle.id);
    handle.deadline.stop();
    handle.stopper.abort(new SpillwayError('CANCELLED', `export ${handle.id} was deleted`));
    await this.#dependencies.store.remove(handle.id);
    await handle.running;
    this.#teller.ended(handle, true);
    await handle.release();
    await handle.spool?.remove();
  }

  /** What was complete is as it was, for as long as was left; what was not has failed. */
  async #restore(handle: ExportHandle, spool: SpoolFacts | undefined, deadlineNs: bigint | null): Promise<void> {
    this.#exports.set(handle.id, handle);
    handle.onEnd = (error) => this.#ended(handle, error);
    handle.spool = spool ? await this.#dependencies.spools.restore(handle.id, spool) : null;
    const left = deadlineNs === null ? null : Number((deadlineNs - BigInt(Date.now()) * NS_PER_MS) / NS_PER_MS);
    if (handle.isFinal) {
      handle.hasEnd = handle.state === 'DONE';
      this.#teller.skip(handle);
      return this.#awaitRemoval(handle, left === null ? undefined : Math.max(left, 0));
    }
    if (handle.spool) {
      // Who was fetching it has lost the connection.
      if (handle.state === 'STREAMING') handle.apply('pause');
      if (left === null) return this.#awaitClient(handle);
      return handle.deadline.start(Math.max(left, 0), () => this.#expire(handle));
    }
    handle.failWith(interrupted());
    this.#awaitRemoval(handle);
    this.#keep(handle);
    this.#teller.ended(handle);
  }

  /** The state in memory is what counts while the server runs; that it could not be kept must not end an export. */
  #keep(handle: ExportHandle): void {
    this.#dependencies.store.save(handle.stored()).catch((error: unknown) => this.#dependencies.report(error as Error));
  }

  #note(action: ExportNote['action'], handle: ExportHandle, who: Pick<Caller, 'name' | 'address'>): void {
    this.#dependencies.audit(noteOf(action, handle, who));
  }

  #find(id: string, caller: Caller): ExportHandle {
    const handle = this.#exports.get(id);
    if (handle === undefined || !maySee(caller, handle.owner)) {
      throw new SpillwayError('EXPORT_NOT_FOUND', `there is no export ${JSON.stringify(id.length > 100 ? `${id.slice(0, 100)}…` : id)}`);
    }
    return handle;
  }

  #forgetOldest(): void {
    for (const handle of this.#exports.values()) if (handle.isFinal && handle.downloads === 0) return this.#expire(handle);
  }
}

const NEVER = new AbortController().signal;

const interrupted = (): SpillwayError => new SpillwayError('INTERRUPTED', 'the server ended before the export did');
