/** Whether a job's marks can be read, and whether its disk has room for what it may keep. */
import { statfs } from 'node:fs/promises';
import { clipWords } from '../../buffer/clip-file.js';
import type { Job } from '../../buffer/jobs.js';
import { readMarks } from '../../buffer/marks.js';
import type { CaptureStatus } from '../../capture/control.js';
import { LIMITS } from '../../config.js';
import { formatSize } from '../../units.js';
import type { Finding } from './finding.js';

/** As a capture chooses where the job does not say (native/capture/limits.h). */
const USUAL_SEGMENT_BYTES = 256 << 20;
const SEGMENTS_PER_BUFFER = 32;

export async function marksAgree(folder: string, sealedSegments: number): Promise<Finding> {
  const marks = await readMarks(folder);
  if (marks) return { ok: `segment ${marks.segmentId}, ${marks.packetsStored} packets stored, ${marks.state}` };
  return sealedSegments === 0 ? { ok: 'nothing was captured yet' } : { failed: 'there are segments, and no marks that can be read' };
}

/** `status`: null where no capture tells what it holds. */
export async function spaceSuffices(job: Job, status: CaptureStatus | null): Promise<Finding> {
  const { retainBytes, segmentBytes, interfaces } = job.settings;
  const { bavail, bsize } = await statfs(job.folder);
  const available = bavail * bsize;
  if (available < LIMITS.diskLeftBytes) return { failed: `the disk is nearly full: ${formatSize(available)} are left` };
  const free = `${formatSize(available)} are free`;
  if (!status || retainBytes === 0) return { ok: free };
  const held = status.stored_bytes;
  if (held + available < retainBytes)
    return { failed: `the job may keep ${formatSize(retainBytes)}, holds ${formatSize(held)}, and ${free}: the disk will be full before` };
  const segment = segmentBytes > 0 ? segmentBytes : Math.min(USUAL_SEGMENT_BYTES, retainBytes / SEGMENTS_PER_BUFFER);
  // One that is being written and one that is about to go, of each interface. Clips hold what they hold.
  const most = retainBytes + 2 * segment * interfaces.length;
  if (held > most && (await clipWords(job)).size === 0)
    return { failed: `the job holds ${formatSize(held)}, and may keep ${formatSize(retainBytes)}` };
  return { ok: `${formatSize(held)} of ${formatSize(retainBytes)} held, ${free}` };
}
