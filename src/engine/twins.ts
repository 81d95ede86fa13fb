/** What is read before the output is: the same packets, also of a source that is read once only. */
import type { Planned } from './in-line.js';
import type { Plan } from './plan.js';

/** A lane is read once: `work` has another one of the same packets. */
export async function withTwins<T>(plan: Plan, work: (plan: Plan) => Promise<T>): Promise<T> {
  const twins: Planned[] = [];
  try {
    for (const one of plan.sources) twins.push(one.lane ? { ...one, lane: await one.lane.twin() } : one);
    return await work({ ...plan, sources: twins });
  } finally {
    for (const [i, { lane }] of twins.entries()) if (lane !== plan.sources[i]!.lane) await lane?.close();
  }
}
