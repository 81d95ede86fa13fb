/** Users with the hashes of their passwords: the one file that holds any. */
import type { Collector } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS } from '../limits.js';

export function users(facts: ProbeFacts): Collector {
  return {
    name: 'users',
    section: 'user_credentials',
    file: 'user_credentials/users.json',
    about: 'Users: names, roles, sources and password hashes; no session, token or key',
    ...BOUNDS.users,
    collect: async () => facts.users().map(({ name, role, sources, password }) => ({ name, role, sources, password_hash: password })),
  };
}
