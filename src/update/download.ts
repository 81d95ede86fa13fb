/** Fetches a package from a peer into a file, and goes on where an attempt before it ended. */
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { SpillwayError } from '../errors.js';
import { exchange, PATIENCE, type Patience, type PeerAnswer } from '../peer/connection.js';
import { PEER_LIMITS } from '../peer/limits.js';
import type { Credentials } from '../peer/profiles.js';
import type { SecurePeer } from '../peer/secure.js';

export interface Wanted {
  peer: SecurePeer;
  /** With its query. */
  path: string;
  credentials: Credentials;
  bytes: number;
  sha256: string;
}

export interface DownloadOptions {
  /** Kept when it fails, for the next attempt. */
  file: string;
  signal: AbortSignal;
  /** Bytes that are there. */
  progress: (bytes: number) => void;
  patience?: Partial<Patience>;
  /** Between two attempts; default: RETRY_MS. */
  retryMs?: number;
}

/** Connections that break in the middle of a download. */
const ATTEMPTS = 5;
const RETRY_MS = 2000;

/**
 * Resolves when the file holds all bytes and their SHA-256 is the expected one. Rejects with PEER_UNREACHABLE or PEER_FAILED
 * where nothing could be fetched, DOWNLOAD_BROKEN where it could not be brought to its end, DOWNLOAD_WRONG where it is another
 * file (which is removed), DISK_FULL, or why the signal aborted.
 */
export async function download(wanted: Wanted, options: DownloadOptions): Promise<void> {
  const { file: path, signal, progress, retryMs = RETRY_MS } = options;
  const file = await open(path, 'a+', 0o600).catch(refuse);
  try {
    let broken = '';
    for (let attempt = 0; ; attempt++) {
      const before = (await file.stat()).size;
      if (before > wanted.bytes) await file.truncate(0);
      progress(Math.min(before, wanted.bytes));
      if (before === wanted.bytes) break;
      if (attempt === ATTEMPTS) throw new SpillwayError('DOWNLOAD_BROKEN', `the download ended ${ATTEMPTS} times before its end: ${broken}`);
      try {
        await fetchRest(wanted, file, before > wanted.bytes ? 0 : before, options);
      } catch (error) {
        signal.throwIfAborted();
        const { code, message } = error as SpillwayError;
        const has = (await file.stat()).size;
        // Nothing came of it, now or earlier.
        if ((code !== 'PEER_FAILED' && code !== 'PEER_UNREACHABLE') || has === 0) throw error;
        broken = message;
        await sleep(retryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
    await file.sync();
    if ((await hashOf(file)) === wanted.sha256) return;
    await file.truncate(0);
    throw new SpillwayError('DOWNLOAD_WRONG', 'what was downloaded is not the package: its SHA-256 is another');
  } finally {
    await file.close();
  }
}

async function fetchRest(wanted: Wanted, file: FileHandle, from: number, { signal, progress, patience }: DownloadOptions): Promise<void> {
  const { peer, path, credentials, bytes, sha256 } = wanted;
  const authorization = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  const range = from > 0 ? { range: `bytes=${from}-`, 'if-range': `"${sha256}"` } : {};
  const headers = { authorization, accept: 'application/gzip, application/octet-stream', ...range };
  const times = { ...PATIENCE, totalMs: PEER_LIMITS.packageMs, ...patience };
  await exchange(peer, { method: 'GET', path, headers }, { signal, patience: times }, async (answer) => {
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
  if (status !== 200 && !isAnew) throw new SpillwayError('PEER_FAILED', `the peer answers with HTTP status ${status}`);
  await file.truncate(0);
  return isAnew ? null : 0;
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of file.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

function refuse(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') throw new SpillwayError('DISK_FULL', 'there is no space left for the download');
  throw new SpillwayError('FILE_FAILED', `the download can not be written: ${code ?? message}`);
}
