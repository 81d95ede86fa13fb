/** What a login is given: sessions for cookies, access tokens, and refresh tokens that give new access tokens. */
import { randomBytes, randomUUID } from 'node:crypto';
import { SpillwayError } from '../errors.js';
import type { SecretKind, SecretTable, StoredSecret } from '../state/secrets.js';
import { maySee, type Caller } from './caller.js';
import { ACCESS_LIMITS } from './limits.js';

const LIFE_MS: Readonly<Record<SecretKind, number>> = {
  session: ACCESS_LIMITS.sessionMs,
  access: ACCESS_LIMITS.accessTokenMs,
  refresh: ACCESS_LIMITS.refreshTokenMs,
};

export interface AccessToken {
  token: string;
  user: string;
  expiresMs: number;
  refreshToken: string | null;
}

export class Logins {
  constructor(
    private readonly secrets: SecretTable,
    private readonly keep: number = ACCESS_LIMITS.secretsOfUser,
  ) {}

  /** Gives the session's secret. */
  begin(user: string): string {
    return this.#make('session', user).secret;
  }

  end(session: string): void {
    const found = this.secrets.find(session, 'session');
    if (found) this.secrets.remove(found.id);
  }

  /** Whose session it is; null where it is none, or has ended. */
  userOfSession(secret: string): string | null {
    const found = this.secrets.find(secret, 'session');
    return found === null || isOver(found) ? null : found.user;
  }

  /** Throws AUTH_INVALID_SESSION for a token that is not known, AUTH_EXPIRED_TOKEN for one that has expired. */
  userOfToken(secret: string): string {
    return this.#known(secret, 'access').user;
  }

  issue(user: string, withRefresh: boolean): AccessToken {
    const refresh = withRefresh ? this.#make('refresh', user) : null;
    return this.#issue(user, refresh?.id ?? null, refresh?.secret ?? null);
  }

  /** Another access token. The refresh token stays as it is. */
  refresh(secret: string): AccessToken {
    const { user, id } = this.#known(secret, 'refresh');
    return this.#issue(user, id, null);
  }

  /** Those that the caller may see and that are good. */
  refreshTokens(caller: Caller): StoredSecret[] {
    return this.secrets.all('refresh').filter((each) => maySee(caller, each.user) && !isOver(each));
  }

  /** Ends a refresh token, named by its id or by itself, and the access tokens that came from it. Gives what it was. */
  revoke(caller: Caller, by: { id: string } | { secret: string }): StoredSecret {
    const own = this.refreshTokens(caller);
    const id = 'id' in by ? by.id : this.secrets.find(by.secret, 'refresh')?.id;
    const found = own.find((each) => each.id === id);
    if (!found) throw new SpillwayError('TOKEN_NOT_FOUND', 'there is no such refresh token');
    this.secrets.remove(found.id);
    return found;
  }

  #issue(user: string, parent: string | null, refreshToken: string | null): AccessToken {
    const { secret, expiresMs } = this.#make('access', user, parent);
    return { token: secret, user, expiresMs, refreshToken };
  }

  #known(secret: string, kind: SecretKind): StoredSecret {
    const found = this.secrets.find(secret, kind);
    if (!found) throw new SpillwayError('AUTH_INVALID_SESSION', 'the token is not known, or was revoked');
    if (isOver(found)) throw new SpillwayError('AUTH_EXPIRED_TOKEN', 'the token has expired');
    return found;
  }

  #make(kind: SecretKind, user: string, parent: string | null = null): StoredSecret & { secret: string } {
    const now = Date.now();
    this.secrets.sweep(now - ACCESS_LIMITS.expiredKeptMs);
    for (const id of this.secrets.beyond(user, kind, this.keep - 1)) this.secrets.remove(id);
    const made = { kind, id: randomUUID(), user, createdMs: now, expiresMs: now + LIFE_MS[kind], parent };
    const secret = randomBytes(32).toString('base64url');
    this.secrets.add(secret, made);
    return { ...made, secret };
  }
}

const isOver = ({ expiresMs }: StoredSecret): boolean => expiresMs <= Date.now();
