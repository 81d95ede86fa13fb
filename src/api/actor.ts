/** Who makes a call, for the audit. */
import { addressOf } from '../access/access.js';
import type { Caller } from '../access/caller.js';
import type { Actor } from '../access/users.js';
import type { Call } from './link.js';

export function actor({ caller, request }: Pick<Call, 'request'> & { caller: Caller }): Actor {
  return { who: caller.name, address: addressOf(request.raw) };
}
