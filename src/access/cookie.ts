/** The cookie of a session (RFC 6265). */

/** What `login` calls `session_key`. */
export const SESSION_COOKIE = 'spillway_session';

/** Of a session whose cookie alone changes nothing: a token of the session has to come beside it. */
export const TOKEN_SESSION_COOKIE = 'spillway_token_session';

/** Pages of other sites can not make a browser send it, and scripts can not read it. */
export function setCookie(secret: string, isSecure: boolean, name = SESSION_COOKIE): string {
  return `${name}=${secret}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

/** Makes a browser forget it. */
export function clearCookie(isSecure: boolean, name = SESSION_COOKIE): string {
  return `${setCookie('', isSecure, name)}; Max-Age=0`;
}

/** Every session that a request has: probes on other ports of the same host use the same names. */
export function sessionsIn(header: string | undefined, names: readonly string[] = [SESSION_COOKIE, TOKEN_SESSION_COOKIE]): string[] {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  return names.flatMap((name) => pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1)));
}
