/** Tokens, as clients of update jobs ask for them. */
import { addressOf, type Access } from '../../access/access.js';
import { link, type Resource } from '../link.js';
import { Login, Token } from './schema.js';

export function tokenResource(access: Access): Resource {
  return {
    schema: Token,
    about: 'Access tokens.',
    self: '/auth/token',
    links: {
      request: link({
        method: 'POST',
        right: 'public',
        about: 'Log in for an access token',
        body: Login,
        status: 200,
        answer: Token,
        handle: async ({ body: { username, password }, request, reply }) => {
          const user = await access.login(username, password, addressOf(request.raw));
          const { token, expiresMs } = access.logins.issue(user, false);
          void reply.header('cache-control', 'no-store');
          return { access_token: token, token_type: 'bearer', expires_at: Math.floor(expiresMs / 1000) };
        },
      }),
    },
  };
}
