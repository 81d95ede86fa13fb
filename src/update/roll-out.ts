/** The order in which the members of a job are updated, and when no other is begun. */
import { hasFailed, isOver, isUpdated, type JobMember, type UpdateJob } from './job.js';

export interface RollOutOptions {
  /** Whether a member is this probe. */
  isOwn: (address: string) => boolean;
  /** Resolves when the member is over; or left as it is, since it was not asked while it still might be. */
  update: (member: JobMember, mayBegin: () => boolean) => Promise<void>;
}

/** Resolves when nothing is left to be done; members that were not begun stay as they are. Rejects as the first `update` that does. */
export async function rollOut(job: UpdateJob, { isOwn, update }: RollOutOptions): Promise<void> {
  const { canary, maxConcurrent, stopAfterFailures } = job.limits;
  // What the others download from is not to restart meanwhile; and the update of this probe ends the server that asks.
  const rank = ({ address }: JobMember): number => (isOwn(address) ? 2 : address === job.imageServer ? 1 : 0);
  const order = [...job.members].sort((a, b) => rank(a) - rank(b));
  const others = order.filter((member) => rank(member) === 0);
  const first = order[0]!;
  const mayBegin = (): boolean =>
    !job.isStopped && !(canary && hasFailed(first)) && (stopAfterFailures === null || job.members.filter(hasFailed).length < stopAfterFailures);
  const inTurns = async (members: readonly JobMember[]): Promise<void> => {
    // What an earlier run of the server has begun is followed first, and to its end.
    const waiting = members.filter((member) => !isOver(member)).sort((a, b) => Number(b.isAsked) - Number(a.isAsked));
    const turn = async (): Promise<void> => {
      for (let member = waiting.shift(); member; member = waiting.shift()) if (member.isAsked || mayBegin()) await update(member, mayBegin);
    };
    const ends = await Promise.allSettled(Array.from({ length: Math.min(maxConcurrent, waiting.length) }, turn));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  };
  if (canary) await inTurns([first]);
  await inTurns(others);
  for (const member of order.slice(others.length)) await inTurns([member]);
}

/** How a job ended, by its members. */
export function outcomeOf({ members }: UpdateJob): 'succeed' | 'succeed_partly' | 'fail' {
  const updated = members.filter(isUpdated).length;
  return updated === 0 ? 'fail' : updated === members.length ? 'succeed' : 'succeed_partly';
}
