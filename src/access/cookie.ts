/** The cookie of a session (RFC 6265). */

/** What `login` calls `session_key`. */
export const SESSION_COOKIE = 'spillway_session';

/** Pages of other sites can not make a browser send it, and scripts can not read it. */
export function setCookie(secret: string, isSecure: boolean): string {
  return `${SESSION_COOKIE}=${secret}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

/** Makes a browser forget it. */
export function clearCookie(isSecure: boolean): string {
  return `${setCookie('', isSecure)}; Max-Age=0`;
}

/** Every value that a request has for it: probes on other ports of the same host use the same name. */
export function sessionsIn(header: string | undefined): string[] {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  return pairs.filter((pair) => pair.startsWith(`${SESSION_COOKIE}=`)).map((pair) => pair.slice(SESSION_COOKIE.length + 1));
}
