/** spillway.admin 1.0: users, peers and the audit, for admins and for the command line on this machine. */
import type { Access } from '../../access/access.js';
import { SpillwayError } from '../../errors.js';
import type { AuditTable, AuditRow } from '../../state/audit.js';
import { formatEpoch, NS_PER_MS, parseCount } from '../../units.js';
import { link, rootOf, type Service } from '../link.js';
import { actor } from '../actor.js';
import { ADMIN_SERVICE } from './name.js';
import { peerResources, type PeerRooms } from './peers.js';
import { AuditQuery, AuditTrail, NewUser, User, UserChange, Users, type AuditEntry } from './schema.js';

/** Of the audit, in one answer. */
const ENTRIES = { usual: 100, max: 1000 };

export function admin({ users }: Access, audit: AuditTable, rooms: PeerRooms): Service {
  return {
    ...ADMIN_SERVICE,
    title: 'Administration',
    resources: {
      users: {
        schema: Users,
        about: 'Users of this probe.',
        self: '/users',
        links: {
          get: link({
            method: 'GET',
            right: 'admin',
            about: 'List users',
            status: 200,
            answer: Users,
            handle: () => ({ items: users.list() }),
          }),
          create: link({
            method: 'POST',
            // Users write down themselves what was done to whom.
            isAudited: false,
            right: 'admin',
            about: 'Add a user',
            body: NewUser,
            status: 201,
            answer: User,
            handle: async ({ body: { name, password, role, sources = null }, reply, ...call }) => {
              const made = await users.add(name, password, { role, sources }, actor(call));
              void reply.header('location', `${rootOf(ADMIN_SERVICE)}/users/items/${made.name}`);
              return made;
            },
          }),
        },
      },
      user: {
        schema: User,
        about: 'A user.',
        self: '/users/items/{name}',
        links: {
          get: link({
            method: 'GET',
            right: 'admin',
            about: 'Show a user',
            status: 200,
            answer: User,
            handle: ({ param }) => users.get(param('name')),
          }),
          set: link({
            method: 'PUT',
            // Users write down themselves what was done to whom.
            isAudited: false,
            right: 'admin',
            about: 'Change a user',
            body: UserChange,
            status: 200,
            answer: User,
            handle: ({ param, body: { role, sources, password }, ...call }) => users.change(param('name'), { role, sources }, password, actor(call)),
          }),
          delete: link({
            method: 'DELETE',
            // Users write down themselves what was done to whom.
            isAudited: false,
            right: 'admin',
            about: 'Remove a user; what it made stays',
            status: 204,
            answer: null,
            handle: ({ param, ...call }) => users.remove(param('name'), actor(call)),
          }),
        },
      },
      ...peerResources(rooms),
      audit: {
        schema: AuditTrail,
        about: 'Who did what.',
        self: '/audit',
        links: {
          get: link({
            method: 'GET',
            right: 'admin',
            about: 'Read the audit, the newest entries first',
            query: AuditQuery,
            status: 200,
            answer: AuditTrail,
            handle: ({ query: { limit, before } }) => {
              const most = limit === undefined ? ENTRIES.usual : number('limit', limit, ENTRIES.max);
              const end = before === undefined ? null : number('before', before, Number.MAX_SAFE_INTEGER);
              return { items: audit.newest(most, end).map(shown) };
            },
          }),
        },
      },
    },
  };
}

function number(name: string, text: string, max: number): number {
  try {
    return Number(parseCount(text, BigInt(max)));
  } catch (error) {
    throw new SpillwayError('REQUEST_INVALID', `${name}: ${(error as Error).message}`);
  }
}

function shown({ id, timeMs, who, action, what, filter, bytes, address }: AuditRow): AuditEntry {
  return {
    id,
    time: formatEpoch(BigInt(timeMs) * NS_PER_MS),
    who,
    action,
    what,
    ...(filter !== null && { filter }),
    ...(bytes !== null && { bytes }),
    address,
  };
}
