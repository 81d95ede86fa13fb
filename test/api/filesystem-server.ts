/** The file service alone, over a folder of its own, asked by several callers: `x-caller` names who. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { ADMIN, hasRole, type Caller } from '../../src/access/caller.js';
import { buildApp } from '../../src/api/app.js';
import { Checksums } from '../../src/api/filesystem/checksums.js';
import { filesystem } from '../../src/api/filesystem/service.js';
import { SpillwayError } from '../../src/errors.js';
import { FileSystem } from '../../src/state/filesystem.js';
import { askAt, errorOf, sendTo, type Answer, type Ask } from './server.js';

export const FILES = '/api/npm.filesystem/1.0';

export const CALLERS: Record<string, Caller> = {
  admin: ADMIN,
  ann: { name: 'ann', role: 'operator', sources: [] },
  /** May read some of ann's. */
  bob: { name: 'bob', role: 'operator', sources: ['fs/ann/shared/*', 'fs/ann/one.pcap', 'jobs/*'] },
  rea: { name: 'rea', role: 'reader', sources: null },
};

export interface FileAsk extends Ask {
  as?: keyof typeof CALLERS & string;
}

export interface Item {
  id: string;
  type: string;
  size?: number;
  files?: { items: Item[] };
  dirs?: { items: Item[] };
}

export class FilesServer {
  private constructor(
    readonly folder: string,
    readonly tree: FileSystem,
    readonly checksums: Checksums,
    readonly app: FastifyInstance,
  ) {}

  static async start(): Promise<FilesServer> {
    const folder = join(mkdtempSync(join(tmpdir(), 'spillway-files-')), 'fs');
    mkdirSync(join(folder, 'admin'), { recursive: true });
    const tree = new FileSystem(folder);
    const checksums = new Checksums(tree);
    const admit = async (request: { headers: Record<string, unknown> }, right: string): Promise<Caller> => {
      const caller = CALLERS[String(request.headers['x-caller'] ?? 'admin')]!;
      if (right !== 'public' && !hasRole(caller, right as Caller['role'])) throw new SpillwayError('FILE_FORBIDDEN', `a ${caller.role} may not`);
      return caller;
    };
    const { app } = await buildApp({
      services: [filesystem(tree, checksums)],
      gate: { admit, audit: { note: () => undefined } },
      own: { names: [], addresses: () => [] },
      tls: null,
      logger: false,
      version: '0',
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    return new FilesServer(folder, tree, checksums, app);
  }

  /** Nothing but an empty `/admin` again. */
  clear(): void {
    for (const name of readdirSync(this.folder)) rmSync(join(this.folder, name), { recursive: true });
    mkdirSync(join(this.folder, 'admin'));
  }

  get port(): number {
    return (this.app.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.checksums.close();
    rmSync(join(this.folder, '..'), { recursive: true });
  }

  ask(path: string, { as = 'admin', headers = {}, ...ask }: FileAsk = {}): Promise<Answer> {
    return askAt(this.port, FILES + path, { ...ask, headers: { 'x-caller': as, ...headers } });
  }

  /** The body of success. */
  async json<T = Item>(path: string, ask: FileAsk = {}): Promise<T> {
    const answer = await this.ask(path, ask);
    if (answer.status >= 300) throw new Error(answer.body.toString());
    return JSON.parse(answer.body.toString()) as T;
  }

  /** Status and code of a refusal. */
  async refusal(path: string, ask: FileAsk = {}): Promise<[number, string]> {
    const answer = await this.ask(path, ask);
    return [answer.status, errorOf(answer).error_id];
  }

  upload(folder: string, name: string, body: string | Buffer, ask: FileAsk = {}): Promise<Answer> {
    const headers = { 'content-disposition': name, 'content-type': 'application/octet-stream', ...ask.headers };
    return this.ask(`/fs/${folder}`, { ...ask, method: 'POST', body, headers });
  }

  send(text: string): Promise<string> {
    return sendTo(this.port, text);
  }

  /** Everything below the folder, part files and all; links are not followed. */
  names(below = ''): string[] {
    const entries = readdirSync(join(this.folder, below), { withFileTypes: true });
    return entries
      .flatMap((entry) => [entry.name, ...(entry.isDirectory() ? this.names(join(below, entry.name)).map((name) => join(entry.name, name)) : [])])
      .sort();
  }
}
