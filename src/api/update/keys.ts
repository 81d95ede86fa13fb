/** The keys that update packages may be signed with, over REST. */
import type { UpdateKeys } from '../../update/keys.js';
import { shownKey } from '../../update/shown.js';
import { actor } from '../actor.js';
import { link, rootOf, type Resource } from '../link.js';
import { UPDATE_SERVICE } from './name.js';
import { Key, Keys, NewKey } from './schema.js';

export function keyResources(keys: UpdateKeys): Record<'keys' | 'key', Resource> {
  // They write down themselves what was done to which.
  const isAudited = false;
  return {
    keys: {
      schema: Keys,
      about: 'Keys that update packages may be signed with; as long as there is one, nothing else is taken.',
      self: '/keys',
      links: {
        get: link({
          method: 'GET',
          right: 'admin',
          about: 'List keys',
          status: 200,
          answer: Keys,
          handle: () => ({ items: keys.list().map(shownKey) }),
        }),
        create: link({
          method: 'POST',
          isAudited,
          right: 'admin',
          about: 'Add a key',
          body: NewKey,
          status: 201,
          answer: Key,
          handle: ({ body: { pem, name }, reply, ...call }) => {
            const made = keys.add(pem, name, actor(call));
            void reply.header('location', `${rootOf(UPDATE_SERVICE)}/keys/items/${made.fingerprint}`);
            return shownKey(made);
          },
        }),
      },
    },
    key: {
      schema: Key,
      about: 'A key.',
      self: '/keys/items/{fingerprint}',
      links: {
        delete: link({
          method: 'DELETE',
          isAudited,
          right: 'admin',
          about: 'Remove a key; packages that it has signed stay',
          status: 204,
          answer: null,
          handle: ({ param, ...call }) => keys.remove(param('fingerprint'), actor(call)),
        }),
      },
    },
  };
}
