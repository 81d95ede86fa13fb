import { expect, it } from 'vitest';
import { clearCookie, sessionsIn, setCookie } from '../../src/access/cookie.js';

it.each([
  [undefined, []],
  ['', []],
  ['other=1', []],
  ['spillway_session=a', ['a']],
  ['x=1; spillway_session=a;spillway_session=b ; y', ['a', 'b']],
  ['xspillway_session=a', []],
  ['spillway_token_session=b; spillway_session=a', ['a', 'b']],
  // What some clients make of Set-Cookie.
  ['spillway_session=a; Path=/; HttpOnly; SameSite=Strict', ['a']],
])('%j has the sessions %j', (header, sessions) => expect(sessionsIn(header)).toEqual(sessions));

it('is set for this site alone, and over TLS for TLS alone', () => {
  expect(setCookie('s', false)).toBe('spillway_session=s; Path=/; HttpOnly; SameSite=Strict');
  expect(setCookie('s', true)).toBe('spillway_session=s; Path=/; HttpOnly; SameSite=Strict; Secure');
  expect(clearCookie(false)).toMatch(/^spillway_session=; .*Max-Age=0$/);
});
