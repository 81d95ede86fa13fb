/** A service over a fake engine, with a data folder of its own for each test. */
import { ADMIN } from '../../src/access/caller.js';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Sink } from '../../src/engine/types.js';
import { SpillwayError } from '../../src/errors.js';
import type { Config, Export } from '../../src/export/schema.js';
import type { Download, ExportNote, Output } from '../../src/export/contract.js';
import { ExportService } from '../../src/export/service.js';
import { SpoolRoom, type SpoolLimits } from '../../src/export/spool.js';
import type { DataFolder } from '../../src/state/data-folder.js';
import { FakeEngine, TemporaryData } from './fakes.js';

export let temporary: TemporaryData;
export let data: DataFolder;
export let engine: FakeEngine;
export let service: ExportService;
export let reports: Error[];
export let notes: ExportNote[];
/** Of the services that are started from now on. */
export const spoolLimits: SpoolLimits = { totalBytes: 1 << 20, eachBytes: 1 << 20 };

export const start = async (): Promise<ExportService> =>
  ExportService.open({
    prepare: engine.prepare,
    openCaptured: () => Promise.reject(new Error('nothing is captured here')),
    store: data.exports,
    files: data.files,
    spools: await SpoolRoom.open(join(data.path, 'spool'), { ...spoolLimits }),
    turnWaitMs: 100,
    audit: (note) => notes.push(note),
    report: (error) => reports.push(error),
  });

/** Call once in a test file. */
export function useService(): void {
  beforeEach(async () => {
    temporary = new TemporaryData();
    data = await temporary.open();
    engine = new FakeEngine();
    reports = [];
    notes = [];
    service = await start();
  });
  afterEach(async () => {
    await service.close();
    data.close();
    temporary.remove();
  });
}

/** As after an orderly end: the service of the test is another one from now on. */
export async function restart(): Promise<void> {
  await service.close();
  service = await start();
}

export const config = (given: Partial<Config> = {}): Config => ({ path: 'fs/admin/x.pcap', ...given });
export const toFile = (name = '/admin/out.pcap'): Partial<Config> => ({ mode: 'STREAM_TO_FILE', output_filename: name });
export const create = async (given: Partial<Config> = {}, additions: Record<string, unknown> = {}): Promise<string> =>
  (await service.create({ config: config(given), additions }, ADMIN)).id!;
export const get = (id: string): Promise<Export> => service.get(id, ADMIN);
export const status = async (id: string): Promise<NonNullable<Export['status']>> => (await get(id)).status!;
export const ids = async (): Promise<unknown[]> => (await service.list(ADMIN)).map(({ id }) => id);

/** A client that keeps what it is sent. */
export class Client implements Sink, Download {
  readonly chunks: string[] = [];
  readonly #left = new AbortController();
  readonly signal: AbortSignal = this.#left.signal;
  ended: 'finished' | 'aborted' | null = null;
  opened: Output | null = null;

  /** How many bytes of what is spooled it takes before it has enough. */
  enough = Infinity;

  open = (about: Output): Sink => {
    this.opened = about;
    return this;
  };
  send: Download['send'] = async (about, { sizeBytes, read }) => {
    this.opened = about;
    const bytes = Buffer.alloc(Math.min(sizeBytes, this.enough));
    for (let at = 0; at < bytes.length;) at += await read(bytes.subarray(at), at);
    this.chunks.push(bytes.toString());
    this.ended = bytes.length === sizeBytes ? 'finished' : 'aborted';
    return bytes.length === sizeBytes;
  };
  leave(): void {
    this.#left.abort(new SpillwayError('CLIENT_LEFT', 'the client left'));
  }
  async write(bytes: Uint8Array): Promise<void> {
    this.chunks.push(Buffer.from(bytes).toString());
  }
  async finish(): Promise<void> {
    this.ended = 'finished';
  }
  async abort(): Promise<void> {
    this.ended = 'aborted';
  }
}
export const fetchAll = async (id: string): Promise<Client> => {
  const client = new Client();
  await service.fetch(id, ADMIN, client);
  return client;
};
