/** mgmt.aaa 1.0 and 2.0, which are the same here: access tokens, and the refresh tokens that give new ones. */
import Type, { type Static } from 'typebox';
import { addressOf, type Access } from '../../access/access.js';
import type { AccessToken } from '../../access/logins.js';
import { SpillwayError } from '../../errors.js';
import type { StoredSecret } from '../../state/secrets.js';
import { actor } from '../actor.js';
import { link, type Service } from '../link.js';

export const AAA_VERSIONS = ['1.0', '2.0'] as const;

const Text = (description: string) => Type.String({ description });
const Epoch = (description: string) => Type.Integer({ description: `${description}, in seconds since the epoch` });

const Credentials = Type.Object(
  { username: Text('Name of the user'), password: Text('Password') },
  { additionalProperties: false, description: 'Name and password of a user' },
);

const TokenRequest = Type.Object(
  {
    user_credentials: Type.Optional(Credentials),
    refresh_token: Type.Optional(Text('Instead of name and password')),
    generate_refresh_token: Type.Optional(Type.Boolean({ description: 'With name and password: give a refresh token, too', default: false })),
    state: Type.Optional(Text('Comes back as it is')),
  },
  { additionalProperties: false, description: 'Who asks for a token.' },
);

const Token = Type.Object(
  {
    access_token: Text('For the header Authorization: Bearer'),
    token_type: Text('bearer'),
    expires_at: Epoch('When it ends'),
    refresh_token: Type.Optional(Text('Gives new access tokens')),
    state: Type.Optional(Text('As it was given')),
  },
  { description: 'An access token.' },
);

const RefreshToken = Type.Object(
  { id: Text('To revoke it by'), username: Text('Whose it is'), created_at: Epoch('When it was made'), expires_at: Epoch('When it ends') },
  { description: 'A refresh token, which itself is never told again' },
);

const RefreshTokens = Type.Object({ items: Type.Array(RefreshToken) }, { description: 'Refresh tokens, oldest first.' });

const Revocation = Type.Object(
  { id: Type.Optional(Text('As it is listed')), refresh_token: Type.Optional(Text('The token itself')) },
  { additionalProperties: false, description: 'The refresh token that is to end, by its id or by itself.' },
);

export function aaa(version: (typeof AAA_VERSIONS)[number], access: Access): Service {
  const { logins } = access;
  return {
    name: 'mgmt.aaa',
    version,
    title: 'Authentication',
    resources: {
      access_tokens: {
        schema: Token,
        about: 'Access tokens.',
        self: '/token',
        links: {
          request: link({
            method: 'POST',
            path: '/token',
            right: 'public',
            about: 'Log in for an access token',
            body: TokenRequest,
            status: 201,
            answer: Token,
            handle: async ({ body, request, reply }) => {
              const token = await tokenFor(body, access, addressOf(request.raw));
              void reply.header('cache-control', 'no-store');
              return shown(token, body.state);
            },
          }),
        },
      },
      refresh_tokens: {
        schema: RefreshTokens,
        about: 'Refresh tokens.',
        self: '/refresh_tokens',
        links: {
          get: link({
            method: 'GET',
            right: 'reader',
            about: 'List refresh tokens: your own, or as an admin all',
            status: 200,
            answer: RefreshTokens,
            handle: ({ caller }) => ({ items: logins.refreshTokens(caller).map(listed) }),
          }),
          revoke: link({
            method: 'POST',
            path: '/refresh_tokens/revoke',
            right: 'reader',
            about: 'End a refresh token, and the access tokens that came from it',
            body: Revocation,
            status: 204,
            answer: null,
            handle: ({ caller, body: { id, refresh_token: secret }, request }) => {
              if ((id === undefined) === (secret === undefined)) throw new SpillwayError('REQUEST_INVALID', 'either id or refresh_token is needed');
              const { user } = logins.revoke(caller, id === undefined ? { secret: secret! } : { id });
              access.audit.note({ ...actor({ caller, request }), action: 'token_revoked', what: `a refresh token of ${user}` });
            },
          }),
        },
      },
    },
  };
}

async function tokenFor(body: Static<typeof TokenRequest>, access: Access, address: string): Promise<AccessToken> {
  const { user_credentials: given, refresh_token: refresh } = body;
  if (given !== undefined && refresh === undefined) {
    const user = await access.login(given.username, given.password, address);
    return access.logins.issue(user, body.generate_refresh_token ?? false);
  }
  if (refresh === undefined || given !== undefined) throw new SpillwayError('REQUEST_INVALID', 'either user_credentials or refresh_token is needed');
  if (body.generate_refresh_token === true)
    throw new SpillwayError('REQUEST_INVALID', 'generate_refresh_token goes with user_credentials: a refresh token gives access tokens alone');
  const token = access.logins.refresh(refresh);
  access.audit.note({ who: token.user, action: 'login', what: 'refresh token', address });
  return token;
}

function shown({ token, expiresMs, refreshToken }: AccessToken, state: string | undefined): Static<typeof Token> {
  return {
    access_token: token,
    token_type: 'bearer',
    expires_at: seconds(expiresMs),
    ...(refreshToken !== null && { refresh_token: refreshToken }),
    ...(state !== undefined && { state }),
  };
}

const listed = ({ id, user, createdMs, expiresMs }: StoredSecret): Static<typeof RefreshToken> => ({
  id,
  username: user,
  created_at: seconds(createdMs),
  expires_at: seconds(expiresMs),
});

const seconds = (ms: number): number => Math.floor(ms / 1000);
