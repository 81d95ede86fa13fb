/** Peers and profiles: what is kept, what is refused, and which texts name a peer. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../../src/peer/connection.js';
import { PEER_LIMITS } from '../../src/peer/limits.js';
import { SpillwayError } from '../../src/errors.js';
import { temporaryFolder } from '../support/temporary.js';
import { makeCertificate, type TestPair } from './certificates.js';
import { FakePeer, json } from './fake-peer.js';
import { BY, openRooms, type Rooms } from './rooms.js';

const folder = temporaryFolder();
let at: string;
let rooms: Rooms;
const opened: Rooms[] = [];
function open(where = mkdtempSync(join(folder.path, 'rooms-'))): Rooms {
  at = where;
  opened.push((rooms = openRooms(where)));
  return rooms;
}
function reopen(): Rooms {
  opened.pop()!.close();
  return open(at);
}
afterEach(() => opened.splice(0).forEach((each) => each.close()));

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SpillwayError) return error.code;
    throw error;
  }
  return 'done';
}

const PIN = 'ab'.repeat(32);
const fleet = { name: 'fleet', username: 'collector', password: 'open sesame', isDefault: false };
let pair: TestPair;
beforeAll(async () => {
  pair = await makeCertificate();
});

describe('profiles', () => {
  it('are kept; one is the default; the password is for peers alone', () => {
    const { profiles } = open();
    expect([profiles.list(), profiles.findDefault()]).toEqual([[], null]);
    const first = profiles.add(fleet, BY);
    expect(first).toEqual({ id: expect.stringMatching(/^[0-9a-f]{24}$/) as string, name: 'fleet', username: 'collector', isDefault: false });
    expect(codeOf(() => profiles.credentials(null))).toBe('PROFILE_NOT_FOUND');
    const second = profiles.add({ name: 'all', username: 'bob', password: 'x', isDefault: true }, BY);
    const third = profiles.add({ name: 'zoo', username: 'cid', password: 'y', isDefault: true }, BY);
    const after = reopen();
    expect(after.profiles.list()).toEqual([{ ...second, isDefault: false }, first, third]);
    expect(after.profiles.get(first.id)).toEqual(first);
    expect(after.profiles.findDefault()).toEqual(third);
    expect(after.profiles.credentials(undefined, first.id, second.id)).toEqual({ username: 'collector', password: 'open sesame' });
    expect(after.profiles.credentials(undefined, null)).toEqual({ username: 'cid', password: 'y' });
    after.profiles.remove(third.id, BY);
    expect(reopen().profiles.findDefault()).toBeNull();
    expect(rooms.noted().map(({ who, action, what }) => [who, action, what])).toEqual([
      ['ann', 'profile_deleted', 'zoo'],
      ['ann', 'profile_added', 'zoo: cid, the default'],
      ['ann', 'profile_added', 'all: bob, the default'],
      ['ann', 'profile_added', 'fleet: collector'],
    ]);
  });

  it.each<[object, string]>([
    [{ name: '' }, 'REQUEST_INVALID'],
    [{ name: ' x' }, 'REQUEST_INVALID'],
    [{ name: 'a\nb' }, 'REQUEST_INVALID'],
    [{ name: 'x'.repeat(101) }, 'REQUEST_INVALID'],
    [{ username: '' }, 'REQUEST_INVALID'],
    [{ username: 'a:b' }, 'REQUEST_INVALID'],
    [{ username: 'a\r\nb' }, 'REQUEST_INVALID'],
    [{ username: 'x'.repeat(257) }, 'REQUEST_INVALID'],
    [{ password: '' }, 'REQUEST_INVALID'],
    [{ password: 'a\r\nb' }, 'REQUEST_INVALID'],
    [{ password: 'x'.repeat(1025) }, 'REQUEST_INVALID'],
    [{ name: 'taken', isDefault: true }, 'PROFILE_EXISTS'],
  ])('%j is refused', (given, code) => {
    const { profiles } = open();
    const taken = profiles.add({ ...fleet, name: 'taken', isDefault: true }, BY);
    const asked = { ...fleet, password: 'open sesame', ...given };
    expect(codeOf(() => profiles.add(asked, BY))).toBe(code);
    expect(() => profiles.add(asked, BY)).not.toThrow(/sesame/);
    expect(reopen().profiles.list()).toEqual([taken]);
  });

  it('that are not there, in use or too many are refused', () => {
    const { profiles, peers } = open();
    expect(codeOf(() => profiles.get('f'.repeat(24)))).toBe('PROFILE_NOT_FOUND');
    expect(codeOf(() => profiles.remove('x', BY))).toBe('PROFILE_NOT_FOUND');
    expect(codeOf(() => profiles.credentials('x'))).toBe('PROFILE_NOT_FOUND');
    const { id } = profiles.add(fleet, BY);
    peers.add({ address: '192.0.2.1', profile: id }, BY);
    expect(codeOf(() => profiles.remove(id, BY))).toBe('PROFILE_IN_USE');
    peers.remove('192.0.2.1', BY);
    profiles.remove(id, BY);
    for (let i = 0; i < PEER_LIMITS.profiles; i++) profiles.add({ ...fleet, name: `p${i}` }, BY);
    expect(codeOf(() => profiles.add(fleet, BY))).toBe('TOO_MANY_PROFILES');
  });
});

describe('peers', () => {
  it('are kept in one form, with their trust', () => {
    const { peers, profiles } = open();
    const { id } = profiles.add(fleet, BY);
    expect(peers.add({ address: '192.0.2.7', pin: PIN.toUpperCase().replace(/..(?!$)/g, '$&:') }, BY)).toEqual({
      ...{ address: '192.0.2.7', ip: '192.0.2.7', port: 8470 },
      ...{ pin: PIN, ca: null, profile: null },
    });
    peers.add({ address: '192.0.2.7:8471', ca: pair.cert, profile: id }, BY);
    peers.add({ address: '[2001:DB8:0:0::07]:8470' }, BY);
    peers.add({ address: '2001:db8::8' }, BY);
    const again = reopen();
    expect(again.peers.list().map(({ address, ip, port, pin, ca, profile }) => [address, ip, port, pin, ca, profile])).toEqual([
      ['192.0.2.7', '192.0.2.7', 8470, PIN, null, null],
      ['192.0.2.7:8471', '192.0.2.7', 8471, null, pair.cert, id],
      ['2001:db8::7', '2001:db8::7', 8470, null, null, null],
      ['2001:db8::8', '2001:db8::8', 8470, null, null, null],
    ]);
    expect(again.noted().map(({ action, what }) => `${action} ${what}`)).toContain('peer_added 192.0.2.7:8471: a CA of its own, the profile fleet');
    again.peers.remove('192.0.2.7:8470', BY);
    expect(reopen().peers.list().length).toBe(3);
    expect(rooms.peers.find('192.0.2.7')).toBeNull();
  });

  it.each<[object, string]>([
    [{ address: '' }, 'REQUEST_INVALID'],
    [{ address: 'localhost' }, 'REQUEST_INVALID'],
    [{ address: 'probe.example:8470' }, 'REQUEST_INVALID'],
    [{ address: '0.0.0.0' }, 'REQUEST_INVALID'],
    [{ address: '224.0.0.1' }, 'REQUEST_INVALID'],
    [{ address: '255.255.255.255' }, 'REQUEST_INVALID'],
    [{ address: '::' }, 'REQUEST_INVALID'],
    [{ address: 'ff02::1' }, 'REQUEST_INVALID'],
    [{ address: 'fe80::1%eth0' }, 'REQUEST_INVALID'],
    [{ address: '::ffff:192.0.2.1' }, 'REQUEST_INVALID'],
    [{ address: '[::ffff:c000:201]:1' }, 'REQUEST_INVALID'],
    [{ address: '::192.0.2.1' }, 'REQUEST_INVALID'],
    [{ address: '192.0.2.1:0' }, 'REQUEST_INVALID'],
    [{ address: '192.0.2.1:65536' }, 'REQUEST_INVALID'],
    [{ address: '192.0.2.1:08470' }, 'REQUEST_INVALID'],
    [{ address: '192.0.2.01' }, 'REQUEST_INVALID'],
    [{ address: '[192.0.2.1]' }, 'REQUEST_INVALID'],
    [{ address: '192.0.2.1\n' }, 'REQUEST_INVALID'],
    [{ address: '2001:db8::7:8470:1:2:3:4:5' }, 'REQUEST_INVALID'],
    [{ address: '1'.repeat(100_000) }, 'REQUEST_INVALID'],
    [{ address: '198.51.100.1:8470' }, 'PEER_EXISTS'],
    [{ pin: 'ab' }, 'REQUEST_INVALID'],
    [{ pin: `${PIN}ab` }, 'REQUEST_INVALID'],
    [{ pin: PIN.replace(/..(?!$)/g, '$&:').replace(':', '') }, 'REQUEST_INVALID'],
    [{ pin: '' }, 'REQUEST_INVALID'],
    [{ ca: '' }, 'REQUEST_INVALID'],
    [{ ca: 'no PEM' }, 'REQUEST_INVALID'],
    [{ ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }, 'REQUEST_INVALID'],
    [{ ca: 'x'.repeat(70_000) }, 'REQUEST_INVALID'],
    [{ profile: 'f'.repeat(24) }, 'PROFILE_NOT_FOUND'],
  ])('%j is refused', (given, code) => {
    const { peers } = open();
    peers.add({ address: '198.51.100.1' }, BY);
    expect(codeOf(() => peers.add({ address: '192.0.2.1', ...given }, BY))).toBe(code);
    expect(reopen().peers.list().length).toBe(1);
  });

  it('with a key among the certificates, or with two kinds of trust, are refused', () => {
    const { peers } = open();
    expect(codeOf(() => peers.add({ address: '192.0.2.1', ca: pair.cert + pair.key }, BY))).toBe('REQUEST_INVALID');
    expect(codeOf(() => peers.add({ address: '192.0.2.1', ca: pair.cert, pin: PIN }, BY))).toBe('REQUEST_INVALID');
    expect(codeOf(() => peers.remove('192.0.2.1', BY))).toBe('PEER_NOT_FOUND');
    for (let i = 0; i < PEER_LIMITS.peers; i++) peers.add({ address: `192.0.2.1:${i + 1}` }, BY);
    expect(codeOf(() => peers.add({ address: '192.0.2.1' }, BY))).toBe('TOO_MANY_PEERS');
  });

  it.each<[string, string[]]>([
    ['192.0.2.7', ['192.0.2.7', '192.0.2.7:8470']],
    ['192.0.2.7:8471', ['192.0.2.7:8471']],
    ['2001:db8::7', ['2001:db8::7', '[2001:db8::7]', '[2001:db8::7]:8470']],
    ['[2001:db8::7]:8471', ['[2001:db8::7]:8471']],
  ])('%s is named by %j', (address, texts) => {
    const { peers } = open();
    const peer = peers.add({ address }, BY);
    expect(peer.address).toBe(address);
    for (const text of texts) expect(peers.find(text)).toBe(peer);
  });
});

/** Texts that some reader of addresses takes for 127.0.0.1, or for a name that leads there; P is the port. */
const TRICKS = `127.0.0.1 127.0.0.1: 127.0.0.1:0 127.0.0.1:P0 127.0.0.1:0P 127.0.0.1:+P 127.0.0.1:-P 127.0.0.1:P/ 127.0.0.1:P/x 127.0.0.1:P?x 127.0.0.1:P#x 127.0.0.1:P#@192.0.2.1
127.0.0.1:P@192.0.2.1 192.0.2.1@127.0.0.1:P user:pass@127.0.0.1:P @127.0.0.1:P https://127.0.0.1:P http://127.0.0.1:P/ //127.0.0.1:P /127.0.0.1:P \\\\127.0.0.1:P https:127.0.0.1:P file:///etc/passwd gopher://127.0.0.1:P
2130706433:P 2130706433 0x7f000001:P 0x7f.0.0.1:P 0x7f.0x0.0x0.0x1:P 017700000001:P 0177.0.0.1:P 0177.0.0.01:P 00000177.0.0.1:P 127.1:P 127.0.1:P 127:P 127.0.0.01:P 127.000.000.001:P 127.0.0.1.:P .127.0.0.1:P 127..0.0.1:P
127.0.0.257:P 127.0.0.1.1:P 4294967297:P 127.0.0.2:P 0:P 0.0.0.0:P 127.127.127.127:P localhost:P LOCALHOST:P localhost.:P localhost.localdomain:P ip6-localhost:P 127.0.0.1.nip.io:P 127-0-0-1.example:P
[::1]:P ::1:P [::]:P [::ffff:127.0.0.1]:P [::ffff:7f00:1]:P [0:0:0:0:0:ffff:127.0.0.1]:P [::127.0.0.1]:P [::7f00:1]:P [64:ff9b::7f00:1]:P [2002:7f00:1::]:P [fe80::1%25lo]:P [fe80::1%lo]:P [127.0.0.1]:P [127.0.0.1:P] [127.0.0.1
[[127.0.0.1]]:P ①②⑦.⓪.⓪.①:P １２７.０.０.１:P 127。0。0。1:P 127．0．0．1:P 127｡0｡0｡1:P ⑯⑨。②⑤④:P 127%2e0%2e0%2e1:P %31%32%37.0.0.1:P 127.0.0.1%3aP 127.0.0.1%00:P 127.0.0.1:P%00 127.0.0.1:P%0d%0aX 127.0.0.1：P 127.0.0.1﹕P
127.0.0.1:P,192.0.2.1 127.0.0.1:P;x 127.0.0.1|x:P $(id) \`id\` ../127.0.0.1:P * 127.0.0.* 127.0.0.1/8 127.0.0.1:http 127.0.0.1:P:P 127.0.0.1:0xP 127.0.0.1:Pe0 127.0.0.1:P.0 __proto__ constructor toString`;

describe('what is no configured address', () => {
  it('names nobody, and nobody is contacted', async () => {
    const fake = await FakePeer.https(pair, (_, response) => json(response, 200, {}));
    const { peers } = open();
    const own = `127.0.0.1:${fake.port}`;
    peers.add({ address: own, pin: pair.pin }, BY);
    // Where the default port is the configured one, fewer ports are told from each other.
    peers.add({ address: '203.0.113.5' }, BY);
    const tricks = TRICKS.split(/\s+/).map((text) => text.replaceAll('P', String(fake.port)));
    const spaced = [
      ' X',
      'X ',
      '\tX',
      'X\n',
      'X\r\n',
      'X\r\nHost: 192.0.2.1',
      'X\0',
      '\0X',
      'X\u00a0',
      '\u200bX',
      '\ufeffX',
      'X X',
      '"X"',
      "'X'",
      'X\u202e',
    ];
    const all = [
      ...tricks,
      ...spaced.map((form) => form.replaceAll('X', own)),
      '',
      '1'.repeat(1 << 20),
      '203.0.113.5:',
      '203.0.113.5:08470',
      '[203.0.113.5]',
    ];
    expect(all.length).toBeGreaterThan(120);
    const ask = async (text: string): Promise<number | null> => {
      const peer = peers.find(text);
      return peer === null
        ? null
        : exchange(peer, { method: 'GET', path: '/' }, { signal: new AbortController().signal }, async ({ status }) => status);
    };
    for (const text of all) expect([text.slice(0, 100), await ask(text)]).toEqual([text.slice(0, 100), null]);
    expect(fake.connections).toBe(0);
    // It would have counted.
    expect([await ask(own), fake.connections]).toEqual([200, 1]);
    await fake.stop();
  });
});
