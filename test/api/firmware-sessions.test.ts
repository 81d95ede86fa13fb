/** Sessions of the repository's API: two cookies and a header. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { faultOf, FirmwareProbe, json, ROOT } from './firmware-probe.js';
import { passwordOf, type Answer } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

let probe: FirmwareProbe;
beforeAll(async () => void (probe = await FirmwareProbe.start()));
afterAll(() => probe.probe.stop());

describe('a session', () => {
  const login = (UserId = 'operator', password = passwordOf(UserId)): Promise<Answer> =>
    probe.ask('/sessions', {
      body: { UserId, password },
      as: null,
      headers: { 'content-type': 'application/json; charset=utf-8', referer: 'https://x/sessions' },
    });
  /** What a client's jar holds after it. */
  const cookies = (answer: Answer): Record<string, string> =>
    Object.fromEntries((answer.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]!.split('=') as [string, string]));
  const sent = (jar: Record<string, string>): string =>
    Object.entries(jar)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ');

  it('is two cookies, one of which comes back as a header with what changes something', async () => {
    const began = await login();
    expect([began.status, json(began)]).toEqual([
      200,
      { result: 'success', messages: [{ id: expect.stringMatching(/^[0-9a-f]{24}$/) as string, text: expect.any(String) as string }] },
    ]);
    const lines = began.headers['set-cookie']!;
    expect(lines).toEqual([
      expect.stringMatching(/^\w+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
      expect.stringMatching(/^csrf=[\w-]{43}; Path=\/; SameSite=Strict$/),
    ]);
    const jar = cookies(began);
    const cookie = sent(jar);
    expect((await probe.ask(ROOT, { as: null, headers: { cookie } })).status).toBe(200);
    expect((await probe.ask('/aicc', { as: null, headers: { cookie } })).status).toBe(200);
    const exported = `${ROOT}?action=export&filetypes=all`;
    const other = cookies(await login());
    const changes: [string, string][] = [
      ['PUT', exported],
      ['POST', `${ROOT}?action=import`],
      ['DELETE', '/tasks/12'],
      ['DELETE', '/sessions'],
    ];
    for (const [method, path] of changes)
      for (const token of [undefined, '', 'x', jar['csrf']!.slice(1), other['csrf']!])
        expect(
          faultOf(await probe.ask(path, { method, as: null, headers: { cookie, ...(token !== undefined && { 'x-csrf-token': token }) } })),
        ).toEqual([403, 'CSRF_INVALID']);
    // The cookie csrf alone can be left out, not the header.
    const bare = Object.entries(jar).filter(([name]) => name !== 'csrf');
    expect(faultOf(await probe.ask(exported, { method: 'PUT', as: null, headers: { cookie: sent(Object.fromEntries(bare)) } }))).toEqual([
      403,
      'CSRF_INVALID',
    ]);
    const vague = { cookie, authorization: 'Other x' };
    expect(faultOf(await probe.ask(exported, { method: 'PUT', as: null, headers: vague }))).toEqual([403, 'CSRF_INVALID']);
    const headers = { cookie, 'x-csrf-token': jar['csrf']! };
    const made = await probe.ask(exported, { method: 'PUT', as: null, headers });
    expect(made.status).toBe(200);
    await probe.ended(json<{ taskid: string }>(made).taskid);
    const out = await probe.ask('/sessions', { method: 'DELETE', as: null, headers });
    expect([out.status, json(out), out.headers['set-cookie']]).toEqual([
      200,
      expect.objectContaining({ result: 'success' }),
      [expect.stringMatching(/Max-Age=0/), expect.stringMatching(/^csrf=;.*Max-Age=0/)],
    ]);
    expect(faultOf(await probe.ask(ROOT, { as: null, headers: { cookie } }))).toEqual([401, 'AUTH_INVALID_SESSION']);
    expect((await probe.ask(ROOT, { as: null, headers: { cookie: sent(other) } })).status).toBe(200);
  });

  it('is ended by its id as well, and another one is not', async () => {
    const [one, two] = [await login(), await login()];
    const id = json<{ messages: { id: string }[] }>(one).messages[0]!.id;
    const end = (headers: Record<string, string>): Promise<Answer> => probe.ask(`/sessions/${id}`, { method: 'DELETE', as: null, headers });
    const headersOf = (answer: Answer): Record<string, string> => {
      const jar = cookies(answer);
      return { cookie: sent(jar), 'x-csrf-token': jar['csrf']! };
    };
    const [own, other] = [headersOf(one), headersOf(two)];
    const refused = await end(other);
    expect([faultOf(refused), refused.headers['set-cookie']]).toEqual([[404, 'SESSION_NOT_FOUND'], undefined]);
    expect((await probe.ask(ROOT, { as: null, headers: other })).status).toBe(200);
    expect((await probe.ask(ROOT, { as: null, headers: own })).status).toBe(200);
    expect((await end(own)).status).toBe(200);
    expect((await probe.ask(ROOT, { as: null, headers: own })).status).toBe(401);
  });

  it('of another API needs no such header, nor does Basic; here and there', async () => {
    const answer = await probe.ask('/api/common/1.0/login', { body: { username: 'operator', password: passwordOf('operator') }, as: null });
    const cookie = sent(cookies(answer));
    const made = await probe.ask(`${ROOT}?action=export&filetypes=all`, { method: 'PUT', as: null, headers: { cookie } });
    expect(made.status).toBe(200);
    await probe.ended(json<{ taskid: string }>(made).taskid);
    const ours = sent(cookies(await login()));
    // Elsewhere nothing is asked of anybody.
    const body = { config: { path: 'fs/admin/sample.pcap' } };
    expect((await probe.ask('/api/npm.packet_export/1.3/exports', { body, as: null, headers: { cookie: ours } })).status).toBe(201);
    const basic = await probe.put(`${ROOT}?action=export&filetypes=payloads`, 'null');
    expect(basic.status).toBe(200);
    await probe.ended(json<{ taskid: string }>(basic).taskid);
  });

  it('is not given for a wrong password', async () => {
    const answer = await login('operator', 'wrong');
    expect([faultOf(answer), answer.headers['set-cookie']]).toEqual([[403, 'AUTH_INVALID_CREDENTIALS'], undefined]);
    for (const body of [{}, { UserId: 'operator' }, { UserId: 1, password: 'x' }, { UserId: 'a', password: 'b', more: 1 }])
      expect(faultOf(await probe.ask('/sessions', { body, as: null }))).toEqual([400, 'REQUEST_INVALID']);
  });

  it('is in the audit, its beginning and its end', async () => {
    const { items } = json<{ items: { who: string; action: string }[] }>(
      await probe.ask('/api/spillway.admin/1.0/audit?limit=1000', { as: 'admin' }),
    );
    const sessions = items.filter(({ who }) => who === 'operator').map(({ action }) => action);
    expect(sessions).toEqual(expect.arrayContaining(['login', 'logout']));
    expect(sessions).not.toContain('sessions.logout');
  });
});
