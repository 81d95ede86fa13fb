/** Peers and profiles in spillway.admin. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeCertificate } from '../peer/certificates.js';
import { FakeEngine } from '../export/fakes.js';
import { errorOf, TestProbe, type Ask } from './server.js';

vi.mock('../../src/access/password.js', () => import('../access/quick-password.js'));

const ADMIN = '/api/spillway.admin/1.0';
let probe: TestProbe;
let headers: { authorization: string };
beforeAll(async () => {
  probe = await TestProbe.start(new FakeEngine().prepare);
  headers = await probe.addUser('root');
});
afterAll(() => probe.stop());

const ask = (path: string, given: Ask = {}): ReturnType<TestProbe['ask']> => probe.ask(`${ADMIN}${path}`, { ...given, headers });
const profile = { name: 'fleet', username: 'collector', password: 'open sesame' };
const PIN = 'ab'.repeat(32);

it('are added, shown and removed; a password is never told, and the audit knows', async () => {
  const made = await ask('/profiles', { body: { ...profile, default: true } });
  const { id } = JSON.parse(made.body.toString()) as { id: string };
  expect([made.status, made.headers.location]).toEqual([201, `${ADMIN}/profiles/items/${id}`]);
  const shown = { id, name: 'fleet', username: 'collector', default: true };
  expect(JSON.parse(made.body.toString())).toEqual(shown);
  expect(await probe.json(made.headers.location!, { headers })).toEqual(shown);
  expect(await probe.json(`${ADMIN}/profiles`, { headers })).toEqual({ items: [shown] });
  const { cert } = await makeCertificate();
  const peer = await ask('/peers', { body: { address: '[2001:DB8::7]:8471', ca: cert, profile: id } });
  const peerShown = { address: '[2001:db8::7]:8471', pin: null, ca: cert, profile: id };
  expect([peer.status, JSON.parse(peer.body.toString())]).toEqual([201, peerShown]);
  expect(await probe.json(peer.headers.location!, { headers })).toEqual(peerShown);
  await ask('/peers', { body: { address: '192.0.2.7', pin: PIN } });
  expect(await probe.json(`${ADMIN}/peers`, { headers })).toEqual({
    items: [{ address: '192.0.2.7', pin: PIN, ca: null, profile: null }, peerShown],
  });
  expect(errorOf(await ask(`/profiles/items/${id}`, { method: 'DELETE' })).error_id).toBe('PROFILE_IN_USE');
  for (const path of [peer.headers.location!, `${ADMIN}/peers/items/192.0.2.7:8470`, `${ADMIN}/profiles/items/${id}`])
    expect((await probe.ask(path, { method: 'DELETE', headers })).status).toBe(204);
  const { items } = await probe.json<{ items: { who: string; action: string; what: string }[] }>(`${ADMIN}/audit?limit=6`, { headers });
  expect(items.map(({ who, action, what }) => `${who} ${action} ${what}`)).toEqual([
    'root profile_deleted fleet',
    'root peer_deleted 192.0.2.7',
    'root peer_deleted [2001:db8::7]:8471',
    'root peer_added 192.0.2.7: a pin, the default profile',
    'root peer_added [2001:db8::7]:8471: a CA of its own, the profile fleet',
    'root profile_added fleet: collector, the default',
  ]);
});

describe('what is refused', () => {
  it.each<[string, string, object | undefined, number, string]>([
    ['POST', '/profiles', { ...profile, username: 'a:b' }, 400, 'REQUEST_INVALID'],
    ['POST', '/profiles', { ...profile, password: undefined }, 400, 'REQUEST_INVALID'],
    ['POST', '/profiles', { ...profile, isDefault: true }, 400, 'REQUEST_INVALID'],
    ['POST', '/profiles', { ...profile, default: 'yes' }, 400, 'REQUEST_INVALID'],
    ['GET', '/profiles/items/none', undefined, 404, 'PROFILE_NOT_FOUND'],
    ['DELETE', '/profiles/items/none', undefined, 404, 'PROFILE_NOT_FOUND'],
    ['PUT', '/profiles/items/none', profile, 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/peers', {}, 400, 'REQUEST_INVALID'],
    ['POST', '/peers', { address: 'localhost' }, 400, 'REQUEST_INVALID'],
    ['POST', '/peers', { address: 7 }, 400, 'REQUEST_INVALID'],
    ['POST', '/peers', { address: '192.0.2.1', pin: PIN, ca: 'x' }, 400, 'REQUEST_INVALID'],
    ['POST', '/peers', { address: '192.0.2.1', profile: 'none' }, 404, 'PROFILE_NOT_FOUND'],
    ['POST', '/peers', { address: '192.0.2.1', insecure: true }, 400, 'REQUEST_INVALID'],
    ['GET', '/peers/items/192.0.2.1', undefined, 404, 'PEER_NOT_FOUND'],
    ['DELETE', '/peers/items/192.0.2.1%0d%0a', undefined, 404, 'PEER_NOT_FOUND'],
  ])('%s %s %j', async (method, path, body, status, code) => {
    const answer = await ask(path, { method, ...(body && { body }) });
    expect([answer.status, errorOf(answer).error_id]).toEqual([status, code]);
    expect(answer.body.toString()).not.toContain('sesame');
  });
});
