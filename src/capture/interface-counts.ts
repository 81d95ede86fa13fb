/** What a capture has of each of its interfaces, since it was last begun. */
import { join } from 'node:path';
import type { Job } from '../buffer/jobs.js';
import { readMarks } from '../buffer/marks.js';
import type { CaptureStatus } from './control.js';

export interface InterfaceCounts {
  name: string;
  packets: number;
  /** null where the capture does not tell: marks have no bytes. */
  bytes: number | null;
  lost: { ring: number; queue: number; disk: number };
}

/** `status`: null where no capture runs or none answers; what it has published last is known all the same. */
export async function interfaceCounts(job: Job, status: CaptureStatus | null): Promise<InterfaceCounts[]> {
  if (status) return status.interfaces.map(({ name, packets, bytes, lost }) => ({ name, packets, bytes, lost }));
  const all = await Promise.all(job.settings.interfaces.map((name, position) => countsInMarks(join(job.folder, `${position}-${name}`), name)));
  return all.filter((each) => each !== null);
}

async function countsInMarks(folder: string, name: string): Promise<InterfaceCounts | null> {
  const marks = await readMarks(folder);
  if (!marks) return null;
  const lost = { ring: Number(marks.lostRing), queue: Number(marks.lostQueue), disk: Number(marks.lostDisk) };
  return { name, packets: Number(marks.packetsStored), bytes: null, lost };
}
