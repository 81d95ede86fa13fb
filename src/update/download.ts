/** Fetches a package from a peer into a file, and goes on where an attempt before it ended. */
import { mkdir, open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { isOfFullDisk, SpillwayError } from '../errors.js';
import { exchange, PATIENCE, type PeerAnswer } from '../peer/connection.js';
import { PEER_LIMITS } from '../peer/limits.js';
import type { Credentials } from '../peer/profiles.js';
import type { SecurePeer } from '../peer/secure.js';
import { DOWNLOAD_PATIENCE, type DownloadPatience } from './limits.js';

export interface Wanted {
  peer: SecurePeer;
  /** With its query. */
  path: string;
  credentials: Credentials;
  bytes: number;
  sha256: string;
}

export interface DownloadOptions {
  /** Kept when it fails, for the next attempt; nothing else stays in its folder, which is made. */
  file: string;
  signal: AbortSignal;
  /** Bytes that are there. */
  progress: (bytes: number) => void;
  patience?: Partial<DownloadPatience> | undefined;
}

/** The server is there, and answers with something else. */
class Answered extends SpillwayError {
  /** It says no: asking again changes nothing. */
  readonly isFinal: boolean;

  constructor(status: number) {
    super('PEER_FAILED', `the peer answers with HTTP status ${status}`);
    this.isFinal = status < 500 && status !== 429;
  }
}

/**
 * Resolves when the file holds all bytes and their SHA-256 is the expected one. A server that goes away is waited for. Rejects
 * with PEER_UNREACHABLE or PEER_FAILED where nothing could be fetched, DOWNLOAD_BROKEN where it could not be brought to its end,
 * DOWNLOAD_WRONG where it is another file (which is removed), DISK_FULL, or why the signal aborted.
 */
export async function download(wanted: Wanted, options: DownloadOptions): Promise<void> {
  const { file: path, signal } = options;
  await makeRoom(path).catch(refuse);
  const file = await open(path, 'a+', 0o600).catch(refuse);
  try {
    await fetchAll(wanted, file, options);
    await file.sync().catch(refuse);
    if ((await hashOf(file, signal)) === wanted.sha256) return;
    await file.truncate(0);
    throw new SpillwayError('DOWNLOAD_WRONG', 'what was downloaded is not the package: its SHA-256 is another');
  } finally {
    await file.close();
  }
}

/** Nobody goes on with another package's download. */
async function makeRoom(path: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) if (name !== basename(path)) await unlink(join(folder, name));
}

type Attempt = Pick<DownloadOptions, 'signal' | 'progress'>;

async function fetchAll(wanted: Wanted, file: FileHandle, options: DownloadOptions): Promise<void> {
  const { signal } = options;
  const { retryMs, silentMs, unreachedMs } = { ...DOWNLOAD_PATIENCE, ...options.patience };
  if ((await file.stat()).size > wanted.bytes) await file.truncate(0);
  const before = (await file.stat()).size;
  let most = before;
  let furtherMs = performance.now();
  const progress = (bytes: number): void => {
    // A server that begins anew each time brings nothing.
    if (bytes > most) [most, furtherMs] = [bytes, performance.now()];
    options.progress(bytes);
  };
  for (;;) {
    const { size } = await file.stat();
    progress(size);
    if (size === wanted.bytes) return;
    try {
      await fetchRest(wanted, file, size, { signal, progress });
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = error as SpillwayError;
      if ((code !== 'PEER_FAILED' && code !== 'PEER_UNREACHABLE') || (error instanceof Answered && error.isFinal)) throw error;
      const mostMs = most > 0 ? silentMs : unreachedMs;
      if (performance.now() - furtherMs > mostMs) {
        if (most === before) throw error;
        throw new SpillwayError('DOWNLOAD_BROKEN', `the download came no further within ${mostMs / 1000} s: ${message}`);
      }
      await sleep(retryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

async function fetchRest(wanted: Wanted, file: FileHandle, from: number, { signal, progress }: Attempt): Promise<void> {
  const { peer, path, credentials, bytes, sha256 } = wanted;
  const authorization = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  const range = from > 0 ? { range: `bytes=${from}-`, 'if-range': `"${sha256}"` } : {};
  const headers = { authorization, accept: 'application/gzip, application/octet-stream', ...range };
  const patience = { ...PATIENCE, totalMs: PEER_LIMITS.packageMs };
  await exchange(peer, { method: 'GET', path, headers }, { signal, patience }, async (answer) => {
    let at = await begin(answer, file, from, bytes);
    if (at === null) return;
    for await (const piece of answer.body) {
      at += piece.length;
      if (at > bytes) throw new SpillwayError('DOWNLOAD_WRONG', `what is downloaded is longer than the package, which has ${bytes} bytes`);
      await file.appendFile(piece).catch(refuse);
      progress(at);
    }
    if (at < bytes) throw new SpillwayError('PEER_FAILED', `the answer ended after ${at} of ${bytes} bytes`);
  });
}

/** Where the bytes of the answer belong; null: nowhere, it has to be asked for all of them. */
async function begin({ status, headers }: PeerAnswer, file: FileHandle, from: number, bytes: number): Promise<number | null> {
  if (status === 206 && headers['content-range'] === `bytes ${from}-${bytes - 1}/${bytes}`) return from;
  const isAnew = from > 0 && (status === 206 || status === 416);
  if (status !== 200 && !isAnew) throw new Answered(status);
  await file.truncate(0);
  return isAnew ? null : 0;
}

async function hashOf(file: FileHandle, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of file.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 20 })) {
    signal.throwIfAborted();
    hash.update(piece as Buffer);
  }
  return hash.digest('hex');
}

function refuse(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  if (isOfFullDisk(error)) throw new SpillwayError('DISK_FULL', 'there is no space left for the download');
  throw new SpillwayError('FILE_FAILED', `the download can not be written: ${code ?? message}`);
}
