/**
 * Pins: what holds segments of an interface's folder against retention (native/capture/pins.h). A pin is a file
 * `<segment>.pin-WORD`, whose text is when it ends in nanoseconds since 1970, or 0: never.
 */
import { open, readdir, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpillwayError } from '../errors.js';
import { lockShared } from '../native.js';

const PIN = /^\d{16}\.pin-(.+)$/;

/** Capture locks a segment only for the moment in which it lets go of it. */
const LOCK_MS = 2000;
const RETRY_MS = 5;

/**
 * Holds a segment, also one that has still to get its name. False where it is gone. The lock keeps capture from letting
 * go of it between the look and the pin.
 */
export async function pinSegment(folder: string, stem: string, word: string, endsNs: bigint | null): Promise<boolean> {
  const sealed = join(folder, `${stem}.pcapng`);
  const names = [`${sealed}.part`, sealed];
  for (const until = Date.now() + LOCK_MS; Date.now() < until; await sleep(RETRY_MS)) {
    const handle = await openFirst(names);
    if (!handle) return false;
    try {
      // A file that was let go of may be that of another segment by now.
      if (!lockShared(handle.fd) || !(await isNamed(handle, names))) continue;
      await writeFile(join(folder, `${stem}.pin-${word}`), `${endsNs ?? 0n}\n`);
      return true;
    } finally {
      await handle.close();
    }
  }
  throw new SpillwayError('SOURCE_UNREADABLE', `${sealed}: another program holds it locked`);
}

/** Removes all pins of that word. */
export async function unpin(folder: string, word: string): Promise<void> {
  for (const name of await readdir(folder)) if (PIN.exec(name)?.[1] === word) await rm(join(folder, name), { force: true });
}

/** The words of all pins in a folder. */
export async function pinWords(folder: string): Promise<Set<string>> {
  return new Set((await readdir(folder)).flatMap((name) => PIN.exec(name)?.[1] ?? []));
}

async function openFirst(paths: readonly string[]): Promise<FileHandle | null> {
  for (const path of paths) {
    const handle = await open(path, 'r').catch(unlessMissing);
    if (handle) return handle;
  }
  return null;
}

async function isNamed(handle: FileHandle, names: readonly string[]): Promise<boolean> {
  const { dev, ino } = await handle.stat({ bigint: true });
  for (const name of names) {
    const named = await stat(name, { bigint: true }).catch(unlessMissing);
    if (named?.dev === dev && named.ino === ino) return true;
  }
  return false;
}

function unlessMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
  throw error;
}
