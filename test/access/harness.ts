/** Access to a data folder of its own, without a server. */
import { afterAll, afterEach } from 'vitest';
import type { Socket } from 'node:net';
import { Access } from '../../src/access/access.js';
import type { Role } from '../../src/access/caller.js';
import type { DataFolder } from '../../src/state/data-folder.js';
import { TemporaryData } from '../export/fakes.js';

type Opened = { data: DataFolder; folder: TemporaryData };
const open: Opened[] = [];
const kept: Opened[] = [];
function closeAll(all: Opened[]): void {
  for (const { data, folder } of all.splice(0)) {
    data.close();
    folder.remove();
  }
}
afterEach(() => closeAll(open));
afterAll(() => closeAll(kept));

export const BY = { who: 'test', address: 'local' };

export class TestAccess {
  readonly logged: Record<string, string>[] = [];
  access: Access;

  private constructor(
    readonly data: DataFolder,
    readonly folder: TemporaryData,
    isLoopback: boolean,
  ) {
    this.access = new Access({ data, isLoopback, log: (entry) => void this.logged.push(entry) });
  }

  static async open(isLoopback = true): Promise<TestAccess> {
    const folder = new TemporaryData();
    const data = await folder.open();
    open.push({ data, folder });
    return new TestAccess(data, folder, isLoopback);
  }

  /** For all tests of a file. */
  static async keep(): Promise<TestAccess> {
    const made = await TestAccess.open();
    kept.push(open.pop()!);
    return made;
  }

  /** As after a restart: what is only in memory is gone. */
  restart(): void {
    this.access = new Access({ data: this.data, isLoopback: true });
  }

  async add(name: string, role: Role = 'reader', sources: string[] | null = null): Promise<void> {
    await this.access.users.add(name, `pw of ${name}`, { role, sources }, BY);
  }

  /** The name of who is let in, or the code of why not. */
  async who(headers: { authorization?: string; cookie?: string }, right: Role = 'reader', address = '192.0.2.1'): Promise<string> {
    const socket = { remoteAddress: address } as Socket;
    return this.access.admit({ headers, raw: { socket } }, right).then(
      ({ name }) => name,
      (error: unknown) => (error as { code: string }).code,
    );
  }
}
