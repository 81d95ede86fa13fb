/** Lets go of all packets of a job that no clip holds. Nothing captures it meanwhile. */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listSegments } from './catalog.js';
import { clipWords, readClip } from './clip-file.js';
import { interfaceFolders, type Job, unusable } from './jobs.js';

const CLEARED = '.cleared';
const PIN = /^(\d{16})\.pin-/;
/** A clip that is being made takes a second; what takes longer was left unfinished. */
const MAKING_MS = 5000;
const LOOK_MS = 20;

/**
 * A clip may be made at the same time, by another process. So segments lose their names first, and no clip that begins
 * now finds them; clips that have begun before are waited for; and what these have pinned gets its name back.
 */
export async function clearBuffer(job: Job): Promise<void> {
  try {
    const folders = (await interfaceFolders(job)).map(({ path }) => path);
    for (const folder of folders) {
      const pinned = await pinnedStems(folder);
      for (const { stem, sealed } of await listSegments(folder)) if (!pinned.has(stem)) await hide(join(folder, nameOf(stem, sealed)));
    }
    await clipsAreMade(job);
    for (const folder of folders) {
      const pinned = await pinnedStems(folder);
      for (const name of await readdir(folder)) {
        if (!name.endsWith(CLEARED)) continue;
        const stem = name.slice(0, 16);
        if (pinned.has(stem)) await rename(join(folder, name), join(folder, name.slice(0, -CLEARED.length)));
        else await remove(folder, stem, name);
      }
    }
  } catch (error) {
    throw unusable(job.folder, error as Error);
  }
}

const nameOf = (stem: string, sealed: boolean): string => `${stem}.pcapng${sealed ? '' : '.part'}`;

/** Retention may be faster. */
async function hide(path: string): Promise<void> {
  await rename(path, path + CLEARED).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

async function remove(folder: string, stem: string, name: string): Promise<void> {
  // The segment last: its index alone would be taken for a leftover, itself would be indexed anew.
  for (const ending of ['.index', '.index.part']) await rm(join(folder, stem + ending), { force: true });
  await rm(join(folder, name), { force: true });
}

/** Also of clips that have expired: they are swept, and cleared the next time. */
async function pinnedStems(folder: string): Promise<Set<string>> {
  return new Set((await readdir(folder)).flatMap((name) => PIN.exec(name)?.[1] ?? []));
}

async function clipsAreMade(job: Job): Promise<void> {
  const drafts = new Set(await unfinished(job));
  for (const until = Date.now() + MAKING_MS; drafts.size > 0 && Date.now() < until; await sleep(LOOK_MS)) {
    const still = await unfinished(job);
    for (const word of drafts) if (!still.includes(word)) drafts.delete(word);
  }
}

async function unfinished(job: Job): Promise<string[]> {
  const words = [...(await clipWords(job))];
  const clips = await Promise.all(words.map((word) => readClip(job, job.id + word)));
  // What can't be read may be in the middle of being written.
  return words.filter((_, i) => (clips[i]?.pinned ?? null) === null);
}
