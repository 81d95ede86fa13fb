/** The description of a clip: `clips/<clip id>.json` in the folder of its job. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../state/sync-folder.js';
import type { Job } from './jobs.js';

/** The segments that a clip holds of one interface. */
export interface PinnedSegments {
  /** The name of the interface's folder: "0-eth0". */
  folder: string;
  /** "0000000000000007", in order of capture. */
  stems: string[];
}

/** A packet filter of a clip, as it was given. */
export interface ClipFilter {
  id: string;
  type: 'BPF';
  value: string;
  context?: string;
}

/** A kept time range of a job: packets from `startNs` (null: from the buffer's first) and before `endNs`. */
export interface Clip {
  /** The job's id and four hexadecimal digits, which name its pins, too. */
  id: string;
  job: Job;
  owner: string;
  reason: string;
  createdNs: bigint;
  startNs: bigint | null;
  endNs: bigint;
  /** null: never. */
  expiresNs: bigint | null;
  /** What an export of it lets through; it holds whole files all the same. */
  filters: ClipFilter[];
  /** As they were given; absent: not. */
  given: { start?: string; end?: string };
  modifiedNs: bigint;
  /** null while it is being made. */
  pinned: PinnedSegments[] | null;
}

const VERSION = 1;
const FILE = /^[0-9a-f-]{36}([0-9a-f]{4})\.json$/;
const FOLDER_MODE = 0o700;

/** As it lies on the disk; times are decimal nanoseconds since 1970. */
interface Stored {
  version: number;
  owner: string;
  reason: string;
  created_ns: string;
  start_ns: string | null;
  end_ns: string;
  expires_ns: string | null;
  /** Only where there are any, or differ from what stands above. */
  filters?: ClipFilter[];
  given?: Clip['given'];
  modified_ns?: string;
  pinned: Record<string, string[]> | null;
}

/** What the clip's pins are called. */
export function wordOf({ id }: Pick<Clip, 'id'>): string {
  return id.slice(-4);
}

/** The words of all clips that have a file, whatever stands in it. */
export async function clipWords(job: Job): Promise<Set<string>> {
  const names = await readdir(folderOf(job)).catch(noneIfMissing);
  return new Set(names.flatMap((name) => FILE.exec(name)?.[1] ?? []));
}

/** null where there is none, or where a newer version wrote it. */
export async function readClip(job: Job, id: string): Promise<Clip | null> {
  try {
    return decode(job, id, JSON.parse(await readFile(clipPath(job, id), 'utf8')) as Stored);
  } catch {
    return null;
  }
}

/** False where there is one of this id already. */
export async function reserveClip(clip: Clip): Promise<boolean> {
  await mkdir(folderOf(clip.job), { recursive: true, mode: FOLDER_MODE });
  try {
    await writeSynced(clipPath(clip.job, clip.id), 'wx', encode(clip));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** In place of what was reserved. With its pins it survives a power cut. */
export async function writeClip(clip: Clip): Promise<void> {
  const path = clipPath(clip.job, clip.id);
  await writeSynced(`${path}.part`, 'w', encode(clip));
  await rename(`${path}.part`, path);
  // The names of pins are enough: one without its text holds, too.
  for (const { folder } of clip.pinned ?? []) await syncFolder(join(clip.job.folder, folder));
  await syncFolder(folderOf(clip.job));
}

export async function removeClip({ job, id }: Clip): Promise<void> {
  await rm(clipPath(job, id), { force: true });
}

function clipPath(job: Job, id: string): string {
  return join(folderOf(job), `${id}.json`);
}

function folderOf(job: Job): string {
  return join(job.folder, 'clips');
}

async function writeSynced(path: string, flags: 'w' | 'wx', text: string): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function encode({ owner, reason, createdNs, startNs, endNs, expiresNs, filters, given, modifiedNs, pinned }: Clip): string {
  const stored: Stored = {
    version: VERSION,
    owner,
    reason,
    created_ns: String(createdNs),
    start_ns: startNs === null ? null : String(startNs),
    end_ns: String(endNs),
    expires_ns: expiresNs === null ? null : String(expiresNs),
    ...(filters.length > 0 && { filters }),
    ...(Object.keys(given).length > 0 && { given }),
    ...(modifiedNs !== createdNs && { modified_ns: String(modifiedNs) }),
    pinned: pinned && Object.fromEntries(pinned.map(({ folder, stems }) => [folder, stems])),
  };
  return `${JSON.stringify(stored, null, 2)}\n`;
}

function decode(job: Job, id: string, stored: Stored): Clip | null {
  if (stored.version !== VERSION) return null;
  return {
    id,
    job,
    owner: stored.owner,
    reason: stored.reason,
    createdNs: BigInt(stored.created_ns),
    startNs: stored.start_ns === null ? null : BigInt(stored.start_ns),
    endNs: BigInt(stored.end_ns),
    expiresNs: stored.expires_ns === null ? null : BigInt(stored.expires_ns),
    filters: stored.filters ?? [],
    given: stored.given ?? {},
    modifiedNs: BigInt(stored.modified_ns ?? stored.created_ns),
    pinned: stored.pinned && Object.entries(stored.pinned).map(([folder, stems]) => ({ folder, stems })),
  };
}

function noneIfMissing(error: unknown): string[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}
