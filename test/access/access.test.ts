/** Who is let in, below HTTP: sessions, tokens and their lives, credentials that are remembered, and lock-outs. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ACCESS_LIMITS } from '../../src/access/limits.js';
import { Logins } from '../../src/access/logins.js';
import { basic } from '../api/server.js';
import { BY, TestAccess } from './harness.js';

vi.mock('../../src/access/password.js', () => import('./quick-password.js'));
afterEach(() => void vi.useRealTimers());

/** Only the calendar: everything else goes on. */
function later(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });
const cookie = (secret: string): { cookie: string } => ({ cookie: `spillway_session=${secret}` });

describe('before there are users', () => {
  it('everybody on this machine is the admin, whatever is sent', async () => {
    const { access, who } = await opened();
    expect(await access.login('whoever', 'whatever', '127.0.0.1')).toBe('admin');
    for (const headers of [{}, basic('a', 'b'), bearer('x'), cookie('y')]) expect(await who(headers, 'admin')).toBe('admin');
  });

  it('nobody is, where others reach the probe', async () => {
    const { access, who } = await opened(false);
    expect(await who({})).toBe('AUTH_REQUIRED');
    await expect(access.login('a', 'b', '192.0.2.1')).rejects.toMatchObject({ code: 'AUTH_INVALID_CREDENTIALS' });
  });

  it('what was given out then ends with the first user, even one of that name', async () => {
    const { test, access, who } = await opened();
    const session = access.logins.begin('admin');
    const token = access.logins.issue('admin', true);
    await test.add('admin', 'admin');
    expect(await who(cookie(session))).toBe('AUTH_INVALID_SESSION');
    expect(await who(bearer(token.token))).toBe('AUTH_INVALID_SESSION');
    expect(() => access.logins.refresh(token.refreshToken!)).toThrow(expect.objectContaining({ code: 'AUTH_INVALID_SESSION' }));
  });
});

async function opened(isLoopback = true): Promise<{ test: TestAccess; access: TestAccess['access']; who: TestAccess['who'] }> {
  const test = await TestAccess.open(isLoopback);
  return { test, access: test.access, who: test.who.bind(test) };
}

describe('a session', () => {
  it('is good until it ends, also after a restart', async () => {
    const { test, access, who } = await opened();
    await test.add('ann');
    const [one, other] = [access.logins.begin('ann'), access.logins.begin('ann')];
    test.restart();
    expect(await test.who(cookie(one))).toBe('ann');
    expect(await test.who({ cookie: `spillway_session=stale; spillway_session=${one}` })).toBe('ann');
    test.access.logins.end(one);
    expect([await who(cookie(one)), await who(cookie(other)), await who(cookie('')), await who(bearer(other))]).toEqual([
      'AUTH_INVALID_SESSION',
      'ann',
      'AUTH_INVALID_SESSION',
      'AUTH_INVALID_SESSION',
    ]);
    later(ACCESS_LIMITS.sessionMs - 1000);
    expect(await who(cookie(other))).toBe('ann');
    later(2000);
    expect(await who(cookie(other))).toBe('AUTH_INVALID_SESSION');
  });

  it('is not in the database', async () => {
    const { test, access } = await opened();
    await test.add('ann');
    const secret = access.logins.begin('ann');
    const { token, refreshToken } = access.logins.issue('ann', true);
    const { readFileSync, readdirSync } = await import('node:fs');
    const all = readdirSync(test.folder.path)
      .filter((name) => name.startsWith('spillway.db'))
      .map((name) => readFileSync(`${test.folder.path}/${name}`, 'latin1'));
    for (const hidden of [secret, token, refreshToken!, 'pw of ann']) expect(all.join('').includes(hidden)).toBe(false);
    expect(all.join('').includes('ann')).toBe(true);
  });

  it('makes room for newer ones', async () => {
    const { test } = await opened();
    const logins = new Logins(test.data.secrets, 3);
    const sessions = Array.from({ length: 5 }, () => logins.begin('ann'));
    expect(sessions.map((secret) => logins.userOfSession(secret))).toEqual([null, null, 'ann', 'ann', 'ann']);
    // Others, and other kinds, have room of their own.
    logins.begin('bob');
    logins.issue('ann', true);
    expect(logins.userOfSession(sessions[2]!)).toBe('ann');
  });
});

describe('an access token', () => {
  it('expires, and is told from one that never was', async () => {
    const { test, access, who } = await opened();
    await test.add('ann');
    const { token, expiresMs } = access.logins.issue('ann', false);
    expect(expiresMs - Date.now()).toBeGreaterThan(ACCESS_LIMITS.accessTokenMs - 5000);
    expect([await who(bearer(token)), await who({ authorization: `bearer ${token}` }), await who(bearer(`${token}x`))]).toEqual([
      'ann',
      'ann',
      'AUTH_INVALID_SESSION',
    ]);
    later(ACCESS_LIMITS.accessTokenMs + 1000);
    expect(await who(bearer(token))).toBe('AUTH_EXPIRED_TOKEN');
  });

  it('comes from a refresh token as often as that is asked, and dies with it', async () => {
    const { test, access, who } = await opened();
    await test.add('ann');
    await test.add('bob');
    const first = access.logins.issue('ann', true);
    const alone = access.logins.issue('ann', false);
    const second = access.logins.refresh(first.refreshToken!);
    expect(second.refreshToken).toBeNull();
    expect(() => access.logins.refresh(first.token)).toThrow(expect.objectContaining({ code: 'AUTH_INVALID_SESSION' }));
    const caller = (name: string): ReturnType<typeof access.users.get> => access.users.get(name);
    const [listed] = access.logins.refreshTokens(caller('ann'));
    expect(access.logins.refreshTokens(caller('bob'))).toEqual([]);
    expect(() => access.logins.revoke(caller('bob'), { id: listed!.id })).toThrow(expect.objectContaining({ code: 'TOKEN_NOT_FOUND' }));
    access.logins.revoke(caller('ann'), { secret: first.refreshToken! });
    expect([await who(bearer(first.token)), await who(bearer(second.token)), await who(bearer(alone.token))]).toEqual([
      'AUTH_INVALID_SESSION',
      'AUTH_INVALID_SESSION',
      'ann',
    ]);
  });

  it('can not be had with a refresh token that has expired', async () => {
    const { test, access } = await opened();
    await test.add('ann');
    const { refreshToken } = access.logins.issue('ann', true);
    later(ACCESS_LIMITS.refreshTokenMs + 1000);
    expect(() => access.logins.refresh(refreshToken!)).toThrow(expect.objectContaining({ code: 'AUTH_EXPIRED_TOKEN' }));
    expect(access.logins.refreshTokens(access.users.get('ann'))).toEqual([]);
  });
});

describe('a user', () => {
  it.each(['passwd', 'delete'] as const)('who is changed (%s) has no session, token or remembered password any more', async (change) => {
    const { test, access, who } = await opened();
    await test.add('ann');
    await test.add('bob');
    const session = access.logins.begin('ann');
    const token = access.logins.issue('ann', true);
    const others = access.logins.begin('bob');
    expect(await who(basic('ann', 'pw of ann'))).toBe('ann');
    if (change === 'passwd') await access.users.change('ann', access.users.get('ann'), 'another', BY);
    else access.users.remove('ann', BY);
    expect([await who(basic('ann', 'pw of ann')), await who(cookie(session)), await who(bearer(token.token)), await who(cookie(others))]).toEqual([
      'AUTH_INVALID_CREDENTIALS',
      'AUTH_INVALID_SESSION',
      'AUTH_INVALID_SESSION',
      'bob',
    ]);
    expect(() => access.logins.refresh(token.refreshToken!)).toThrow();
    if (change === 'passwd') expect(await who(basic('ann', 'another'))).toBe('ann');
  });

  it('has its new role at once', async () => {
    const { test, access, who } = await opened();
    await test.add('ann', 'admin');
    const session = access.logins.begin('ann');
    expect(await who(cookie(session), 'admin')).toBe('ann');
    await access.users.change('ann', { role: 'operator', sources: ['jobs/*'] }, undefined, BY);
    expect([await who(cookie(session), 'admin'), await who(cookie(session), 'operator')]).toEqual(['RIGHT_MISSING', 'ann']);
  });

  it('who is the last can not be removed', async () => {
    const { test, access } = await opened();
    await test.add('ann');
    expect(() => access.users.remove('ann', BY)).toThrow(expect.objectContaining({ code: 'USER_LAST' }));
    expect(access.isOpen).toBe(false);
  });

  it('is there after a restart', async () => {
    const { test } = await opened();
    await test.add('ann', 'operator', ['jobs/x', 'fs/bob/*']);
    test.restart();
    expect(test.access.users.list()).toEqual([{ name: 'ann', role: 'operator', sources: ['jobs/x', 'fs/bob/*'] }]);
    expect(await test.who(basic('ann', 'pw of ann'))).toBe('ann');
  });
});

describe('Basic', () => {
  it.each([
    ['Basic', 'AUTH_INVALID_CREDENTIALS'],
    ['Basic !!!', 'AUTH_INVALID_CREDENTIALS'],
    [`Basic ${Buffer.from('ann').toString('base64')}`, 'AUTH_INVALID_CREDENTIALS'],
    ['Bearer', 'AUTH_INVALID_SESSION'],
    ['Digest username="ann"', 'AUTH_REQUIRED'],
    ['', 'AUTH_REQUIRED'],
  ])('%j is %s', async (authorization, code) => {
    const { test, who } = await opened();
    await test.add('ann');
    expect(await who({ authorization })).toBe(code);
  });

  it('is checked once for many requests, and together for those at the same time', async () => {
    const { test, who } = await opened();
    await test.add('ann');
    const logins = (): number => test.logged.filter(({ action }) => action === 'login').length;
    // More than there may be failures, all at once.
    const all = await Promise.all(Array.from({ length: 30 }, () => who(basic('ann', 'pw of ann'))));
    expect(new Set(all)).toEqual(new Set(['ann']));
    for (let i = 0; i < 30; i++) await who(basic('ann', 'pw of ann'));
    expect(logins()).toBe(1);
  });

  it('may have colons and other letters in the password', async () => {
    const { test, access, who } = await opened();
    await access.users.add('ann', 'a:b:ü', { role: 'reader', sources: null }, BY);
    expect(await test.who(basic('ann', 'a:b:ü'))).toBe('ann');
    expect(await who(basic('ann', 'a'))).toBe('AUTH_INVALID_CREDENTIALS');
  });
});

describe('guessing', () => {
  it('locks a name, with the right password as well, but no session of it and nobody else', async () => {
    const { test, access, who } = await opened();
    await test.add('ann');
    await test.add('bob');
    const session = access.logins.begin('ann');
    const token = access.logins.issue('ann', false).token;
    expect(await who(basic('ann', 'pw of ann'))).toBe('ann');
    const guesses = Array.from({ length: ACCESS_LIMITS.failuresOfName + 2 }, (_, i) => who(basic('ann', `guess ${i}`)));
    const answers = await Promise.all(guesses);
    expect(answers.filter((code) => code === 'AUTH_INVALID_CREDENTIALS')).toHaveLength(ACCESS_LIMITS.failuresOfName);
    expect(answers.filter((code) => code === 'AUTH_LOCKED')).toHaveLength(2);
    expect(await who(basic('ann', 'pw of ann'))).toBe('AUTH_LOCKED');
    await expect(access.login('ann', 'pw of ann', '198.51.100.1')).rejects.toMatchObject({ code: 'AUTH_LOCKED' });
    expect([await who(cookie(session)), await who(bearer(token)), await who(basic('bob', 'pw of bob'))]).toEqual(['ann', 'ann', 'bob']);
  });

  it('is written down once it locks, without what was guessed, nor names that nobody has', async () => {
    const { test, who } = await opened();
    await test.add('ann');
    await who(basic('my secret password', 'x'));
    for (let i = 0; i < ACCESS_LIMITS.failuresOfName + 1; i++) await who(basic('ann', `guess ${i}`));
    const rows = test.data.audit.newest(100, null).map(({ who: name, action, what, address }) => [name, action, what, address]);
    expect(rows[0]).toEqual(['ann', 'login_locked', 'wrong password', '192.0.2.1']);
    expect(rows.at(-2)).toEqual(['', 'login_failed', 'no such user', '192.0.2.1']);
    expect(rows).toHaveLength(ACCESS_LIMITS.failuresOfName + 2);
    expect(JSON.stringify([rows, test.logged])).not.toMatch(/guess|secret/);
  });
});

describe('the audit', () => {
  it('keeps the newest rows', async () => {
    const { test } = await opened();
    const { AuditTable } = await import('../../src/state/audit.js');
    const db = (test.data.audit as unknown as { db: ConstructorParameters<typeof AuditTable>[0] }).db;
    const table = new AuditTable(db, 10);
    for (let i = 1; i <= 325; i++)
      void table.add({ who: 'a', action: 'export', what: `jobs/${i}`, filter: 'tcp', bytes: 2n ** 64n - 1n, address: 'local' }, i);
    const rows = table.newest(1000, null);
    // The oldest go a hundred at a time.
    expect(rows.length).toBeLessThan(10 + 100);
    expect(rows.slice(0, 10).map(({ what }) => what)).toEqual(Array.from({ length: 10 }, (_, i) => `jobs/${325 - i}`));
    expect(rows[0]).toMatchObject({ bytes: 2n ** 64n - 1n, filter: 'tcp', timeMs: 325 });
    expect(table.newest(2, rows[3]!.id).map(({ timeMs }) => timeMs)).toEqual([321, 320]);
  });
});
