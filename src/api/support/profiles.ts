/** `/profiles`: the credentials with which devices are asked. */
import type { Profile as Known, Profiles as Kept } from '../../peer/profiles.js';
import { actor } from '../actor.js';
import { link, type Resource } from '../link.js';
import { NewProfile, Profile, Profiles } from './schema.js';

export function profileResources(profiles: Kept, root: string): Record<string, Resource> {
  return {
    profiles: {
      schema: Profiles,
      about: 'Credentials for devices.',
      self: '/profiles',
      links: {
        get: link({
          method: 'GET',
          right: 'reader',
          about: 'List profiles',
          status: 200,
          answer: Profiles,
          handle: () => profiles.list().map(shown),
        }),
        create: link({
          method: 'POST',
          // Profiles write down themselves what was done to which.
          isAudited: false,
          right: 'operator',
          about: 'Add a profile',
          body: NewProfile,
          status: 201,
          answer: Profile,
          handle: ({ body: { default: isDefault = false, ...given }, reply, ...call }) => {
            const made = profiles.add({ ...given, isDefault }, actor(call));
            void reply.header('location', `${root}/profiles/${made.id}`);
            return shown(made);
          },
        }),
      },
    },
    profile: {
      schema: Profile,
      about: 'Credentials for devices.',
      self: '/profiles/{id}',
      links: {
        get: link({
          method: 'GET',
          right: 'reader',
          about: 'Show a profile',
          status: 200,
          answer: Profile,
          handle: ({ param }) => shown(profiles.get(param('id'))),
        }),
        delete: link({
          method: 'DELETE',
          isAudited: false,
          right: 'operator',
          about: 'Remove a profile',
          status: 204,
          answer: null,
          handle: ({ param, ...call }) => profiles.remove(param('id'), actor(call)),
        }),
      },
    },
  };
}

const shown = ({ id, name, username, isDefault }: Known) => ({ id, name, username, default: isDefault });
