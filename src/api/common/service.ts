/** common 1.0: what is here, and sessions. */
import { hostname, machine } from 'node:os';
import type { FastifyRequest } from 'fastify';
import { addressOf, type Access } from '../../access/access.js';
import { clearCookie, SESSION_COOKIE, sessionsIn, setCookie } from '../../access/cookie.js';
import { actor } from '../actor.js';
import { link, type Resource, type Service } from '../link.js';
import { AuthInfo, Info, Login, Ping, Services, Session } from './schema.js';

export interface CommonOptions {
  access: Access;
  /** All that are served, this one included; asked with each request. */
  services: () => readonly Service[];
  version: string;
  serial: string;
  /** Where the listener is reached. */
  addresses: () => readonly string[];
}

export function common(options: CommonOptions): Service {
  return {
    name: 'common',
    version: '1.0',
    title: 'Common',
    resources: {
      services: told(Services, '/services', 'The services of this probe.', () => listed(options.services().filter(({ root }) => root === undefined))),
      info: told(Info, '/info', 'What this probe is.', () => ({
        device_name: hostname(),
        model: 'Spillway',
        sw_version: options.version,
        serial: options.serial,
        hw_version: machine(),
        mgmt_addresses: options.addresses(),
      })),
      ping: told(Ping, '/ping', 'An answer.', () => ({})),
      auth_info: told(AuthInfo, '/auth_info', 'Ways to log in.', () => ({ supported_methods: ['BASIC', 'COOKIE', 'OAUTH2.0'] })),
      session_auth: sessionAuth(options.access),
    },
  };
}

/** A resource that everybody may read. */
function told(schema: Resource['schema'], self: string, about: string, tell: () => unknown): Resource {
  const get = link({ method: 'GET', right: 'public', about, status: 200, answer: schema, handle: tell });
  return { schema, about, self, links: { get } };
}

function listed(services: readonly Service[]): { id: string; versions: string[] }[] {
  const versions = new Map<string, string[]>();
  for (const { name, version } of services) versions.set(name, [...(versions.get(name) ?? []), version]);
  return [...versions].map(([id, all]) => ({ id, versions: all.sort() }));
}

function sessionAuth(access: Access): Resource {
  return {
    schema: Session,
    about: 'Logging in and out.',
    self: '/login',
    links: {
      login: link({
        method: 'POST',
        path: '/login',
        right: 'public',
        about: 'Begin a session',
        body: Login,
        status: 200,
        answer: Session,
        handle: async ({ body, request, reply }) => {
          const user = await access.login(body.username, body.password, addressOf(request.raw));
          const secret = access.logins.begin(user);
          void reply.header('set-cookie', setCookie(secret, isSecure(request))).header('cache-control', 'no-store');
          return { session_key: SESSION_COOKIE, session_id: secret };
        },
      }),
      logout: link({
        method: 'POST',
        path: '/logout',
        right: 'reader',
        about: 'End the session',
        status: 204,
        answer: null,
        handle: ({ caller, request, reply }) => {
          for (const secret of sessionsIn(request.headers.cookie)) access.logins.end(secret);
          access.audit.note({ ...actor({ caller, request }), action: 'logout', what: 'session' });
          void reply.header('set-cookie', clearCookie(isSecure(request)));
        },
      }),
    },
  };
}

const isSecure = ({ protocol }: FastifyRequest): boolean => protocol === 'https';
