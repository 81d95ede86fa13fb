/** `/auth`: tokens, as clients of update jobs ask for them. */
import { addressOf, type Access } from '../../access/access.js';
import { link, type Service } from '../link.js';
import { Login, Token } from './schema.js';
import { lcmFaults } from './words.js';

export function lcmAuth(access: Access): Service {
  return {
    name: 'spillway.lcm_auth',
    version: '1.0',
    title: 'Tokens for update jobs',
    root: '/auth',
    faults: lcmFaults,
    resources: {
      token: {
        schema: Token,
        about: 'Access tokens.',
        self: '/token',
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
      },
    },
  };
}
