/** Peers, and the profiles that they are asked with. */
import type { Peer, Peers } from '../../peer/peers.js';
import type { Profile, Profiles } from '../../peer/profiles.js';
import { link, rootOf, type Resource } from '../link.js';
import { actor } from '../actor.js';
import { ADMIN_SERVICE } from './name.js';
import * as Schema from './schema.js';

export interface PeerRooms {
  peers: Peers;
  profiles: Profiles;
}

export function peerResources({ peers, profiles }: PeerRooms): Record<'peers' | 'peer' | 'profiles' | 'profile', Resource> {
  const root = rootOf(ADMIN_SERVICE);
  // Both write down themselves what was done to whom.
  const isAudited = false;
  return {
    peers: {
      schema: Schema.Peers,
      about: 'Other probes that this one may ask; no other address is ever contacted.',
      self: '/peers',
      links: {
        get: link({
          method: 'GET',
          right: 'admin',
          about: 'List peers',
          status: 200,
          answer: Schema.Peers,
          handle: () => ({ items: peers.list().map(shownPeer) }),
        }),
        create: link({
          method: 'POST',
          isAudited,
          right: 'admin',
          about: 'Add a peer',
          body: Schema.NewPeer,
          status: 201,
          answer: Schema.Peer,
          handle: ({ body, reply, ...call }) => {
            const made = peers.add(body, actor(call));
            void reply.header('location', `${root}/peers/items/${encodeURIComponent(made.address)}`);
            return shownPeer(made);
          },
        }),
      },
    },
    peer: {
      schema: Schema.Peer,
      about: 'A peer.',
      self: '/peers/items/{address}',
      links: {
        get: link({
          method: 'GET',
          right: 'admin',
          about: 'Show a peer',
          status: 200,
          answer: Schema.Peer,
          handle: ({ param }) => shownPeer(peers.get(param('address'))),
        }),
        delete: link({
          method: 'DELETE',
          isAudited,
          right: 'admin',
          about: 'Remove a peer',
          status: 204,
          answer: null,
          handle: ({ param, ...call }) => peers.remove(param('address'), actor(call)),
        }),
      },
    },
    profiles: {
      schema: Schema.Profiles,
      about: 'Credentials with which peers are asked.',
      self: '/profiles',
      links: {
        get: link({
          method: 'GET',
          right: 'admin',
          about: 'List profiles',
          status: 200,
          answer: Schema.Profiles,
          handle: () => ({ items: profiles.list().map(shown) }),
        }),
        create: link({
          method: 'POST',
          isAudited,
          right: 'admin',
          about: 'Add a profile',
          body: Schema.NewProfile,
          status: 201,
          answer: Schema.Profile,
          handle: ({ body: { default: isDefault = false, ...body }, reply, ...call }) => {
            const made = profiles.add({ ...body, isDefault }, actor(call));
            void reply.header('location', `${root}/profiles/items/${made.id}`);
            return shown(made);
          },
        }),
      },
    },
    profile: {
      schema: Schema.Profile,
      about: 'A profile.',
      self: '/profiles/items/{id}',
      links: {
        get: link({
          method: 'GET',
          right: 'admin',
          about: 'Show a profile',
          status: 200,
          answer: Schema.Profile,
          handle: ({ param }) => shown(profiles.get(param('id'))),
        }),
        delete: link({
          method: 'DELETE',
          isAudited,
          right: 'admin',
          about: 'Remove a profile that no peer names',
          status: 204,
          answer: null,
          handle: ({ param, ...call }) => profiles.remove(param('id'), actor(call)),
        }),
      },
    },
  };
}

const shownPeer = ({ address, pin, ca, profile }: Peer): Omit<Peer, 'ip' | 'port'> => ({ address, pin, ca, profile });

const shown = ({ isDefault, ...profile }: Profile): Omit<Profile, 'isDefault'> & { default: boolean } => ({ ...profile, default: isDefault });
