/** `/sessions`: logging in with two cookies, of which the one called `csrf` comes back as a header with whatever changes something. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { addressOf, type Access } from '../../access/access.js';
import { clearCookie, sessionsIn, setCookie, TOKEN_SESSION_COOKIE } from '../../access/cookie.js';
import { SpillwayError } from '../../errors.js';
import { actor } from '../actor.js';
import { link, type Call, type Link, type Resource } from '../link.js';
import { OWN_STATUS, said, Said } from './words.js';

const SESSIONS = '/sessions';
const CSRF_COOKIE = 'csrf';
const ID_LENGTH = 24;

const Login = Type.Object(
  { UserId: Type.String({ description: 'Name of the user' }), password: Type.String({ description: 'Password' }) },
  { additionalProperties: false, description: 'Who logs in.' },
);

export function sessionResources(access: Access): Record<'sessions' | 'session', Resource> {
  const logout = ({ caller, request, reply }: Call, id: string | null): object => {
    const ended = sessionsIn(request.headers.cookie).filter((secret) => id === null || idOf(secret) === id);
    if (id !== null && ended.length === 0)
      throw new SpillwayError('SESSION_NOT_FOUND', `there is no session ${JSON.stringify(id.slice(0, ID_LENGTH))} of yours`);
    for (const secret of ended) access.logins.end(secret);
    if (ended.length > 0) access.audit.note({ ...actor({ caller, request }), action: 'logout', what: 'session' });
    void reply.header('set-cookie', [clearCookie(isSecure(request), TOKEN_SESSION_COOKIE), `${csrfCookie('', request)}; Max-Age=0`]);
    return said('success', 'LOGGED_OUT', 'The session has ended.');
  };
  return {
    sessions: {
      schema: Said,
      about: 'Logging in and out.',
      self: SESSIONS,
      links: {
        login: link({
          method: 'POST',
          right: 'public',
          about: 'Begin a session; the cookie csrf is to be sent back as X-Csrf-Token',
          body: Login,
          status: 200,
          answer: Said,
          handle: async ({ body: { UserId, password }, request, reply }) => {
            const secret = access.logins.begin(await access.login(UserId, password, addressOf(request.raw)).catch(forbidden));
            const cookies = [setCookie(secret, isSecure(request), TOKEN_SESSION_COOKIE), csrfCookie(tokenOf(secret), request)];
            void reply.header('set-cookie', cookies).header('cache-control', 'no-store');
            return said('success', idOf(secret), 'The session has begun.');
          },
        }),
        logout: changing({ method: 'DELETE', about: 'End the session', handle: (call) => logout(call, null) }),
      },
    },
    session: {
      schema: Said,
      about: 'A session.',
      self: `${SESSIONS}/{id}`,
      links: {
        logout: changing({ method: 'DELETE', about: 'End the own session of this id', handle: (call) => logout(call, call.param('id')) }),
      },
    },
  };
}

/** At the door, clients know a wrong password by 403. */
function forbidden(error: unknown): never {
  if (!(error instanceof SpillwayError) || error.code !== 'AUTH_INVALID_CREDENTIALS') throw error;
  throw new SpillwayError(error.code, error.message, { [OWN_STATUS]: '403' });
}

function changing(spec: Pick<Link, 'method' | 'about' | 'handle'>): Link {
  // Noted where something was ended.
  return link({ ...spec, right: 'reader', isAudited: false, status: 200, answer: Said });
}

/** Of links that change something: what comes by the cookie of such a session alone is refused. */
export function withToken(resource: Resource): Resource {
  const links = Object.entries(resource.links).map(([name, spec]) => {
    if (spec.method === 'GET' || spec.right === 'public') return [name, spec] as const;
    const handle: Link['handle'] = (call) => {
      checkToken(call.request);
      return spec.handle(call);
    };
    return [name, { ...spec, handle }] as const;
  });
  return { ...resource, links: Object.fromEntries(links) };
}

/** Who logs in otherwise, with a header that no other site's page can send or by another session, has no token and needs none. */
function checkToken({ headers }: FastifyRequest): void {
  const sessions = sessionsIn(headers.cookie, [TOKEN_SESSION_COOKIE]);
  if (sessions.length === 0 || /^(basic|bearer) /i.test(headers.authorization ?? '')) return;
  const given = Buffer.from(String(headers['x-csrf-token'] ?? ''));
  const fits = (secret: string): boolean => {
    const wanted = Buffer.from(tokenOf(secret));
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  };
  if (!sessions.some(fits)) throw new SpillwayError('CSRF_INVALID', 'X-Csrf-Token is not the value of the cookie csrf that came with the login');
}

/** What only who was given the session can know, and what gives nothing of it away. */
const derived = (secret: string, what: string): Buffer => createHmac('sha256', secret).update(what).digest();
const tokenOf = (secret: string): string => derived(secret, 'csrf').toString('base64url');
const idOf = (secret: string): string => derived(secret, 'id').toString('hex').slice(0, ID_LENGTH);

/** Pages of this probe may read it: they send it back. */
function csrfCookie(token: string, request: FastifyRequest): string {
  return `${CSRF_COOKIE}=${token}; Path=/; SameSite=Strict${isSecure(request) ? '; Secure' : ''}`;
}

const isSecure = ({ protocol }: FastifyRequest): boolean => protocol === 'https';
