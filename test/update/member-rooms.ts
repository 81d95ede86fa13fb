/** A probe that updates itself: slots, a peer that has packages, and the task; the restart is the test's. */
import { createHash, randomBytes, type KeyObject } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type Peers } from '../../src/peer/peers.js';
import type { InstallInput, InstallStatus } from '../../src/update/install.js';
import { installKind, type InstallKind, type InstallOptions } from '../../src/update/install-kind.js';
import { HERE } from '../../src/update/package-reader.js';
import { writePackage } from '../../src/update/package-writer.js';
import { Slots } from '../../src/update/slots.js';
import type { Task } from '../../src/task/task.js';
import { makeCertificate } from '../peer/certificates.js';
import { FakePeer, type Heard } from '../peer/fake-peer.js';
import { openRoom, type Room } from '../task/harness.js';
import { temporaryFolder } from '../support/temporary.js';
import type { ServerResponse } from 'node:http';

export interface Pack {
  bytes: Buffer;
  id: string;
  version: string;
  sha256: string;
}

export interface PackWish {
  version?: string;
  /** Of `bin/spillway`. */
  program?: string;
  key?: KeyObject | null;
  architecture?: string;
  node?: string;
  /** Of a file that does not compress, and of one that does. */
  fillBytes?: number;
  zeroBytes?: number;
}

/** A package of a small release. */
export async function pack(
  folder: string,
  { version = '9.1.0', program, key = null, architecture = HERE.architecture, node = '>=20', fillBytes = 0, zeroBytes = 0 }: PackWish = {},
): Promise<Pack> {
  const release = join(folder, `release-${randomBytes(6).toString('hex')}`);
  for (const part of ['bin', 'dist']) mkdirSync(join(release, part), { recursive: true });
  writeFileSync(join(release, 'bin', 'spillway'), program ?? `#!/usr/bin/env node\nconsole.log('spillway ${version}');\n`);
  chmodSync(join(release, 'bin', 'spillway'), 0o755);
  writeFileSync(join(release, 'dist', 'fill'), randomBytes(fillBytes));
  writeFileSync(join(release, 'dist', 'zero'), Buffer.alloc(zeroBytes));
  const pieces: Buffer[] = [];
  const sink = {
    write: async (piece: Uint8Array) => void pieces.push(Buffer.from(piece)),
    finish: async () => undefined,
    abort: async () => undefined,
  };
  const paths = ['bin/spillway', 'dist/fill', 'dist/zero'];
  const { id } = await writePackage({
    release: { folder: release, version, node, paths },
    platform: HERE.platform,
    architecture,
    createdMs: 1_700_000_000_000,
    key,
    sink,
  });
  const bytes = Buffer.concat(pieces);
  return { bytes, id, version, sha256: createHash('sha256').update(bytes).digest('hex') };
}

export interface Member {
  folder: string;
  slots: Slots;
  room: Room;
  kind: InstallKind;
  /** Of the runs that begin from now on. */
  hasLauncher: boolean;
  /** How often the task has asked for a restart. */
  restarts: number;
  fake: FakePeer;
  /** What is asked for. */
  wish(about: Pack): InstallInput;
  install(about: Pack, given?: Partial<InstallInput>): Promise<Task<InstallInput, InstallStatus>>;
  /** Ends what runs, lets `between` happen, and begins anew. */
  restart(between?: () => void): Promise<void>;
}

const pair = makeCertificate();
const open: FakePeer[] = [];
afterEach(async () => {
  for (const fake of open.splice(0)) await fake.stop();
});

/** `answer`: of the peer, for a package; default: all of it, in ranges as asked for. */
export async function member(
  serve: Pack | ((request: Heard, response: ServerResponse) => unknown),
  given: Partial<InstallOptions> = {},
  folder = temporaryFolder().path,
): Promise<Member> {
  const fake = await FakePeer.https(
    await pair,
    typeof serve === 'function' ? serve : (request, response) => sendRange(serve.bytes, serve.sha256, request, response),
  );
  open.push(fake);
  const slots = new Slots(folder);
  const address = `127.0.0.1:${fake.port}`;
  const peer = { ...fake.peer(), profile: null };
  const peers: Pick<Peers, 'find'> = { find: (text) => (text === address ? peer : null) };
  let restartAsked = (): void => undefined;
  const restart = (): void => {
    self.restarts++;
    restartAsked();
  };
  const options: InstallOptions = {
    slots,
    peers,
    profiles: { credentials: () => ({ username: 'ann', password: 'secret' }) },
    keys: () => [],
    keepDatabase: () => undefined,
    get restart() {
      return self.hasLauncher ? restart : null;
    },
    patience: { retryMs: 5 },
    ...given,
  };
  const kind = installKind(options);
  const self: Member = {
    folder,
    slots,
    room: await openRoom([kind], folder),
    kind,
    hasLauncher: true,
    restarts: 0,
    fake,
    wish: ({ bytes, id, version, sha256 }) => {
      const url = `https://${address}/packages/${id}/file`;
      return { url, package: id, version, bytes: bytes.length, sha256, allowOlder: false };
    },
    install: async (about, input) => {
      const task = self.room.tasks.create(kind, 'ann', { ...self.wish(about), ...input }, null);
      // It has ended, or waits for the restart that it asked for.
      await Promise.race([self.room.tasks.ended(task.id), new Promise<void>((resolve) => (restartAsked = resolve))]);
      return task;
    },
    restart: async (between = () => undefined) => {
      await self.room.close();
      between();
      self.room = await openRoom([kind], folder);
      self.room.tasks.resume();
    },
  };
  return self;
}

export function sendRange(bytes: Buffer, sha256: string, { headers }: Heard, response: ServerResponse): void {
  const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  const etag = `"${sha256}"`;
  if (from === undefined || headers['if-range'] !== etag) return void response.writeHead(200, { etag, 'content-length': bytes.length }).end(bytes);
  const rest = bytes.subarray(Number(from));
  response.writeHead(206, { etag, 'content-length': rest.length, 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }).end(rest);
}
