/** Who is let in: every request passes here, and every login. */
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { SpillwayError } from '../errors.js';
import type { DataFolder } from '../state/data-folder.js';
import { Audit } from './audit.js';
import { ADMIN, ANYBODY, hasRole, type Caller, type Role } from './caller.js';
import { sessionsIn } from './cookie.js';
import { Credentials } from './credentials.js';
import { Lockout } from './lockout.js';
import { Logins } from './logins.js';
import { Users } from './users.js';

/** What is looked at of a request. */
export interface Asking {
  headers: { authorization?: string | undefined; cookie?: string | undefined };
  raw: { socket: Socket };
}

export interface AccessOptions {
  data: Pick<DataFolder, 'path' | 'users' | 'secrets' | 'audit'>;
  /** Nobody else than this machine reaches the listener: only then nobody has to log in before there are users. */
  isLoopback: boolean;
  /** Hears of every entry of the audit. */
  log?: (entry: Record<string, string>) => void;
}

export class Access {
  readonly audit: Audit;
  readonly users: Users;
  readonly logins: Logins;
  readonly #credentials: Credentials;
  readonly #isLoopback: boolean;
  /** Connections that came through the probe's own socket, whose file only its user can open. */
  readonly #local = new WeakSet<Socket>();

  constructor({ data, isLoopback, log }: AccessOptions) {
    this.audit = new Audit(data.audit, log);
    this.users = new Users({ table: data.users, secrets: data.secrets, audit: this.audit, filesFolder: join(data.path, 'fs') });
    this.logins = new Logins(data.secrets);
    this.#credentials = new Credentials(this.users, new Lockout(), this.audit);
    this.#isLoopback = isLoopback;
  }

  /** Nobody has to log in. */
  get isOpen(): boolean {
    return this.users.isEmpty && this.#isLoopback;
  }

  /** From now on what comes through this connection is an admin's. */
  trust(connection: Socket): void {
    this.#local.add(connection);
  }

  /** Resolves to who asks, or rejects with an AUTH_ code or RIGHT_MISSING. */
  async admit(request: Asking, right: 'public' | Role): Promise<Caller> {
    if (right === 'public') return ANYBODY;
    const address = addressOf(request.raw);
    if (this.isOpen || this.#local.has(request.raw.socket)) return { ...ADMIN, address };
    const caller = { ...(await this.#identify(request)), address };
    if (hasRole(caller, right)) return caller;
    throw new SpillwayError('RIGHT_MISSING', `this takes the role ${right}, and ${caller.name} is ${caller.role}`);
  }

  /** Who asks with a session's secret of its own, outside of cookies. Throws an AUTH_ code. */
  ownerOf(secret: string | undefined, raw: Asking['raw']): Caller {
    const address = addressOf(raw);
    if (this.isOpen || this.#local.has(raw.socket)) return { ...ADMIN, address };
    if (secret === undefined) throw new SpillwayError('AUTH_REQUIRED', 'log in first');
    return { ...this.#user(this.logins.userOfSession(secret)), address };
  }

  /** Resolves to the name of the user who logs in. While nobody has to, everybody may, as the admin. */
  async login(name: string, password: string, address: string): Promise<string> {
    const user = this.isOpen ? ADMIN.name : await this.#credentials.verify(name, password, address);
    this.#noteLogin(user, address);
    return user;
  }

  #noteLogin(who: string, address: string): void {
    this.audit.note({ who, action: 'login', what: 'password', address });
  }

  async #identify({ headers, raw }: Asking): Promise<Caller> {
    const [, scheme = '', rest = ''] = /^(\S+) *(.*)$/.exec(headers.authorization ?? '') ?? [];
    if (/^basic$/i.test(scheme)) {
      const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(rest, 'base64').toString()) ?? [];
      if (name === undefined || password === undefined) throw new SpillwayError('AUTH_INVALID_CREDENTIALS', 'the Basic credentials can not be read');
      const address = addressOf(raw);
      return this.#user(await this.#credentials.verify(name, password, address, () => this.#noteLogin(name, address)));
    }
    if (/^bearer$/i.test(scheme)) return this.#user(this.logins.userOfToken(rest));
    const sessions = sessionsIn(headers.cookie);
    if (sessions.length === 0) throw new SpillwayError('AUTH_REQUIRED', 'log in first: with a session cookie, HTTP Basic or an access token');
    const name = sessions.map((secret) => this.logins.userOfSession(secret)).find((user) => user !== null);
    return this.#user(name ?? null);
  }

  #user(name: string | null): Caller {
    const caller = name === null ? null : this.users.caller(name);
    if (caller === null) throw new SpillwayError('AUTH_INVALID_SESSION', 'the session has ended: log in again');
    return caller;
  }
}

/** Where a request comes from; a unix socket has no address. */
export function addressOf({ socket }: Asking['raw']): string {
  return socket.remoteAddress ?? 'local';
}
