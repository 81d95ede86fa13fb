/** How many exports there may be at once, of all users and of one. */
import { LIMITS } from '../config.js';
import { SpillwayError } from '../errors.js';
import type { ExportHandle } from './handle.js';

/** Refuses one more of `owner`. `creating`: requests of each user that are being checked and will become exports. */
export function requireRoom(exports: Iterable<ExportHandle>, creating: ReadonlyMap<string, number>, owner: string): void {
  let active = 0;
  let own = creating.get(owner) ?? 0;
  for (const handle of exports) {
    if (handle.isFinal) continue;
    active += 1;
    if (handle.owner === owner) own += 1;
  }
  for (const count of creating.values()) active += count;
  if (active >= LIMITS.activeExports)
    throw new SpillwayError('TOO_MANY_EXPORTS', `${active} exports have not ended: no more than ${LIMITS.activeExports} may exist`);
  if (own >= LIMITS.activeExportsOfUser)
    throw new SpillwayError(
      'TOO_MANY_EXPORTS_OF_USER',
      `${own} exports of ${owner} have not ended: no more than ${LIMITS.activeExportsOfUser} may exist`,
    );
}
