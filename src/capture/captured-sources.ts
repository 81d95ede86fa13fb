/** What an export of captured traffic reads: jobs/…, clips/…, interfaces/… and vifgs/…. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clip } from '../buffer/clip-file.js';
import type { Clips } from '../buffer/clips.js';
import { interfaceFolders, type Job, type Jobs } from '../buffer/jobs.js';
import type { Catalogs } from '../buffer/catalog.js';
import { EmptyLane } from '../buffer/empty-lane.js';
import { BufferLane } from '../buffer/lane.js';
import { PASSED_MS, type Until } from '../buffer/end.js';
import type { TimeWindow } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { NS_PER_MS } from '../units.js';
import { captureStatus } from './control.js';
import { endLive, startLive } from './live.js';
import { networkInterfaces } from './network.js';
import type { Vifgs } from './vifgs.js';

export const CAPTURED_KINDS = ['jobs', 'clips', 'interfaces', 'vifgs'] as const;
export type CapturedKind = (typeof CAPTURED_KINDS)[number];

/** As `path` names it: `{ kind: 'jobs', name: 'uplinks' }`. */
export interface CapturedName {
  kind: CapturedKind;
  name: string;
}

export interface CaptureRooms {
  jobs: Jobs;
  clips: Clips;
  vifgs: Vifgs;
  /** Starts the capture of a job; resolves when it captures. */
  startCapture: (job: Job) => Promise<unknown>;
}

export interface CaptureWish {
  /** None: every time. */
  windows: readonly TimeWindow[];
  /**
   * It is read twice, and all of this: nothing of it may still be to come, and none of it is missed by what is read later. Windows are
   * inside it.
   */
  seen?: TimeWindow;
  /** Go on with what comes, until the last window's end, or for ever. */
  isFollowed: boolean;
  /** A job that has captured nothing yet is a source without a packet; default: it is refused with SOURCE_EMPTY. */
  mayBeEmpty?: boolean;
  /** Refuses whom it may not be shown to, by all names of what is asked for. */
  admit?: (names: readonly string[]) => void;
}

export interface CapturedSources {
  /** Closed by the export that gets them. */
  lanes: (BufferLane | EmptyLane)[];
  windows: readonly TimeWindow[];
  /** As wished, inside what there is. */
  seen?: TimeWindow;
  /** Packet filters that come with the source: what they do not accept is not in it. */
  filters: readonly string[];
  /** Nothing that comes from now on is wanted. */
  endNow(): void;
  /** When nobody reads them any more. */
  close(): Promise<void>;
}

/** An end that is as near as this may still lie before packets that are on their way. */
const RECENT_NS = 2000n * NS_PER_MS;

/** Is live from the moment it is opened: there is nothing else to read. */
export function isLive({ kind }: CapturedName): boolean {
  return kind === 'interfaces' || kind === 'vifgs';
}

export async function openCaptured(named: CapturedName, wish: CaptureWish, rooms: CaptureRooms): Promise<CapturedSources> {
  const { kind, name } = named;
  if (kind === 'jobs') {
    const job = await rooms.jobs.get(name);
    wish.admit?.(namesOf(job));
    return lanesOf(job, `jobs/${name}`, wish, rooms.clips.catalogs, async () => {});
  }
  if (kind === 'clips') {
    const { job, startNs, endNs, filters } = await clipNamed(name, rooms.clips);
    wish.admit?.([`clips/${name}`, ...namesOf(job)]);
    const windows = within({ startNs, endNs }, wish.windows);
    const seen = wish.seen && within({ startNs, endNs }, [wish.seen])[0]!;
    const sources = await lanesOf(
      job,
      `clips/${name}`,
      { ...wish, windows, isFollowed: false, ...(seen && { seen }) },
      rooms.clips.catalogs,
      async () => {},
    );
    return { ...sources, filters: filters.map(({ value }) => value) };
  }
  wish.admit?.([`${kind}/${name}`]);
  if (wish.seen) throw readOnce(`${kind}/${name}`);
  const interfaces = kind === 'interfaces' ? [interfaceNamed(name)] : await rooms.vifgs.interfacesOf(name);
  const job = await startLive(rooms.jobs, interfaces, rooms.startCapture);
  return lanesOf(job, `${kind}/${name}`, wish, null, () => endLive(rooms.jobs, job));
}

/** Only a name that the system tells goes into a command line. */
function interfaceNamed(name: string): string {
  if (networkInterfaces().some((each) => each.name === name)) return name;
  throw new SpillwayError('SOURCE_NOT_FOUND', `there is no network interface ${JSON.stringify(name.slice(0, 100))}`);
}

/** As sources. */
export function namesOf({ id, name }: Job): string[] {
  return [`jobs/${name}`, `jobs/${id}`];
}

async function clipNamed(id: string, clips: Clips): Promise<Clip> {
  const clip = await clips.get(id).catch((error: unknown) => error as Error);
  if (!(clip instanceof Error)) return clip;
  throw clip instanceof SpillwayError && clip.code === 'CLIP_NOT_FOUND' ? new SpillwayError('SOURCE_NOT_FOUND', clip.message) : clip;
}

async function lanesOf(
  job: Job,
  name: string,
  { windows, seen, isFollowed, mayBeEmpty }: CaptureWish,
  catalogs: Catalogs | null,
  close: () => Promise<void>,
): Promise<CapturedSources> {
  let until = untilOf(windows, isFollowed, BigInt(Date.now()) * NS_PER_MS);
  if (seen && until !== 'now') {
    await hasCome(until, name);
    until = 'now';
  }
  const isCaptured = async (): Promise<boolean> => (await captureStatus(job.folder).catch(() => null)) !== null;
  const lanes: CapturedSources['lanes'] = [];
  try {
    for (const folder of await interfaceFolders(job)) {
      // Who follows needs to know what was there, when others know already that it is gone.
      const catalog = until === 'now' ? catalogs?.of(folder.path) : null;
      const lane = await BufferLane.open(folder.path, {
        name: `${name}/${folder.name}`,
        windows: seen ? [seen] : windows,
        lossWindows: windows,
        until,
        isCaptured,
        ...(catalog && { catalog }),
      });
      if (!lane.isEmpty) lanes.push(lane);
    }
    if (lanes.length === 0 && mayBeEmpty === true) lanes.push(new EmptyLane(name));
    if (lanes.length === 0) throw new SpillwayError('SOURCE_EMPTY', `${name}: nothing was captured yet`);
  } catch (error) {
    await close();
    throw error;
  }
  return { lanes, windows, ...(seen && { seen }), filters: [], endNow: () => lanes.forEach((lane) => lane.endNow()), close };
}

/** Resolves when what came before `until` is committed; refuses an end that lies in the future. */
async function hasCome(until: Exclude<Until, 'now'>, name: string): Promise<void> {
  const leftMs = until === 'capture' ? null : Number((until - BigInt(Date.now()) * NS_PER_MS) / NS_PER_MS);
  if (leftMs === null || leftMs > 0) throw readOnce(name);
  await sleep(Math.max(0, leftMs + PASSED_MS));
}

function readOnce(name: string): SpillwayError {
  return new SpillwayError(
    'SOURCE_UNSUPPORTED',
    `${name}: a display filter that tshark answers reads its source twice, and what is still to come can not be`,
  );
}

/** Where a reader ends. An end that lies in the future is waited for. */
export function untilOf(windows: readonly TimeWindow[], isFollowed: boolean, nowNs: bigint): Until {
  const ends = windows.map(({ endNs }) => endNs);
  if (ends.length === 0 || ends.includes(null)) return isFollowed ? 'capture' : 'now';
  const last = ends.reduce<bigint>((most, end) => (end! > most ? end! : most), ends[0]!);
  return last > nowNs - RECENT_NS ? last : 'now';
}

/** The windows inside `outer`; empty windows where nothing of them is. */
function within(outer: TimeWindow, windows: readonly TimeWindow[]): TimeWindow[] {
  if (windows.length === 0) return [outer];
  return windows.map(({ startNs, endNs }) => {
    const start = startNs === null || (outer.startNs !== null && outer.startNs > startNs) ? outer.startNs : startNs;
    const end = endNs === null || (outer.endNs !== null && outer.endNs < endNs) ? outer.endNs : endNs;
    return { startNs: start, endNs: start !== null && end !== null && end < start ? start : end };
  });
}
