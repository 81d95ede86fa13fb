/** A draft of an update job: what is asked for, held against the packages and peers that there are. */
import { SpillwayError } from '../errors.js';
import type { Peer, Peers } from '../peer/peers.js';
import { newMember, type JobLimits, type JobMember, type JobType, type UpdateJob } from './job.js';
import type { KnownPackage } from './job-kind.js';
import { JOB_LIMITS } from './limits.js';
import { packageName } from './package-name.js';

export interface JobWish {
  name: string;
  description: string;
  /** One of them is enough where it names one package alone; null: any. */
  version: string | null;
  fileName: string | null;
  /** Any spellings of peers' addresses; `all`: the peers that there are now. */
  members: readonly { address: string; name: string | null }[] | 'all';
  imageServer: string | null;
  limits: JobLimits;
  /** What is proposed for its deployment. */
  type: JobType;
  scheduledMs: number | null;
}

export interface DraftFacts {
  packages: { list(): readonly KnownPackage[] };
  peers: Peers;
  id: string;
  createdMs: number;
  createdBy: string;
}

/** Throws REQUEST_INVALID, PACKAGE_NOT_FOUND, PEER_NOT_FOUND; `metrics.field` names the member of the request. */
export function draftOf(wish: JobWish, { packages, peers, id, createdMs, createdBy }: DraftFacts): UpdateJob {
  const { name, description, limits, type, scheduledMs, imageServer } = wish;
  const found = packageOf(wish, packages.list());
  if (scheduledMs !== null) checkNotTooFar(scheduledMs, createdMs);
  return {
    ...{ id, name, description, limits, type, scheduledMs, createdMs, createdBy },
    ...{ package: found.id, version: found.version, fileName: packageName(found) },
    imageServer: imageServer === null ? null : peerOf(imageServer, 'image_server', peers).address,
    isForAll: wish.members === 'all',
    members: membersOf(wish.members, peers),
    state: 'DRAFT',
    ...{ approvedBy: null, deployedBy: null, startMs: null, endMs: null, isStopped: false, detail: '' },
  };
}

/** Throws REQUEST_INVALID for a time that no job waits for. */
export function checkNotTooFar(scheduledMs: number, nowMs: number): void {
  if (scheduledMs - nowMs > JOB_LIMITS.scheduleMs)
    throw new SpillwayError('REQUEST_INVALID', 'scheduled_at lies too far ahead', { field: 'scheduled_at' });
}

function packageOf({ version, fileName }: JobWish, all: readonly KnownPackage[]): KnownPackage {
  const field = fileName === null ? 'os_image_version' : 'image_file_name';
  if (version === null && fileName === null)
    throw new SpillwayError('REQUEST_INVALID', 'os_image_version or image_file_name is missing: which package is it to be?', { field });
  const isMeant = (each: KnownPackage): boolean =>
    (version === null || each.version === version) && (fileName === null || fileName === each.id || fileName === packageName(each));
  const [found, ...more] = all.filter(isMeant);
  if (!found) throw new SpillwayError('PACKAGE_NOT_FOUND', 'the repository has no such package', { field });
  if (more.length > 0)
    throw new SpillwayError('REQUEST_INVALID', `${more.length + 1} packages are meant: give the id of one as image_file_name`, { field });
  return found;
}

function membersOf(wanted: JobWish['members'], peers: Peers): JobMember[] {
  const field = 'switch_members';
  if (wanted === 'all') {
    const all = peers.list();
    if (all.length === 0) throw new SpillwayError('REQUEST_INVALID', 'there are no peers', { field: 'switch_group' });
    return all.map(({ address }) => newMember(address, address));
  }
  const made = wanted.map(({ address, name }) => {
    const peer = peerOf(address, field, peers);
    return newMember(peer.address, name ?? peer.address);
  });
  const twice = made.find(({ address }, i) => made.findIndex((other) => other.address === address) !== i);
  if (twice) throw new SpillwayError('REQUEST_INVALID', `${twice.address} is named twice`, { field });
  return made;
}

function peerOf(text: string, field: string, peers: Peers): Peer {
  const peer = peers.find(text);
  if (peer === null) throw new SpillwayError('PEER_NOT_FOUND', `${JSON.stringify(text.slice(0, 100))} is no peer of this probe`, { field });
  return peer;
}
