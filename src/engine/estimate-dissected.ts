/** What an export with filters that tshark answers will give: nobody knows how many packets those let through. */
import { seenBy } from './choose.js';
import { estimate, type Bounds, type Estimate } from './estimate.js';
import type { Plan } from './plan.js';
import type { Pool } from './pool.js';

/** About what tshark does on a core: streams that it puts together again are slower, single packets faster. */
const DISSECTED_A_SECOND = 100_000;

export async function estimateDissected(plan: Plan, kept: Pool | undefined): Promise<Estimate> {
  const seen = await estimate(seenBy(plan), kept);
  const { packets, bytes, seconds: secondsOut } = await estimate(plan, kept);
  // Where programs may answer, they tell about how much that is.
  const guess = plan.translated ? await estimate({ ...plan, filters: plan.translated }, kept) : { packets, bytes };
  // All of what tshark sees is read, whatever the indexes say of the other filters.
  const { bytesToRead, bytesSkipped, blocks, blocksToRead } = seen;
  const dissected = plan.translated ? 0 : Number(seen.packets.likely) / DISSECTED_A_SECOND;
  const seconds = seen.seconds + secondsOut + dissected;
  return {
    packets: fromNone(guess.packets, packets, 0n),
    bytes: fromNone(guess.bytes, bytes, HEADER_BYTES),
    bytesToRead,
    bytesSkipped,
    blocks,
    blocksToRead,
    seconds,
  };
}

/** The shorter of the file headers. */
const HEADER_BYTES = 24n;

function fromNone({ likely }: Bounds, { high }: Bounds, low: bigint): Bounds {
  return { low, likely, high };
}
