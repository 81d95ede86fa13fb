/** What is blanked, what is not, and that neither takes long. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashPassword } from '../../src/access/password.js';
import { BLANK, Redactor } from '../../src/bundle/redact.js';
import { SHAPES } from './secrets.js';

const redactor = new Redactor();

async function stream(text: string, size: number, by = redactor): Promise<string> {
  async function* pieces(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
  }
  let out = '';
  for await (const piece of by.redactText(pieces())) out += piece;
  return out;
}

describe('secrets', () => {
  it.each(SHAPES.map(({ name, plant }) => [name, plant] as const))('%s', async (_, plant) => {
    for (let i = 0; i < 20; i++) {
      const { text, secret } = plant();
      const lines = `before it\n${text}\nbehind it\n`;
      const out = redactor.redact(lines);
      expect(out).not.toContain(secret);
      expect(out).toContain(BLANK);
      expect(out).toMatch(/^before it\n[^]*\nbehind it\n$/);
      expect(redactor.redact(out)).toBe(out);
      expect(await stream(lines, 7)).toBe(out);
      expect(JSON.stringify(redactor.redactValue({ log: [text] }))).not.toContain(secret);
      expect(redactor.redact(JSON.stringify({ msg: text, deep: JSON.stringify({ msg: text }) }))).not.toContain(secret);
    }
  });

  it.each<[unknown, unknown]>([
    [
      { user: 'ann', password: 'x', n: 1 },
      { user: 'ann', password: BLANK, n: 1 },
    ],
    [{ credentials: { name: 'ann', pw: 'x' } }, { credentials: BLANK }],
    [{ tokens: ['a', 'b'] }, { tokens: BLANK }],
    [
      { token: 5, accessTokenMs: 5, refresh_token_count: 7, password_stdin: 'no' },
      { token: BLANK, accessTokenMs: 5, refresh_token_count: 7, password_stdin: 'no' },
    ],
    [
      { user_credentials: false, password: null, token: '' },
      { user_credentials: false, password: null, token: '' },
    ],
    [
      ['--password', 'x', '--user', 'y'],
      ['--password', BLANK, '--user', 'y'],
    ],
    [
      ['Authorization', 'x'],
      ['Authorization', BLANK],
    ],
    [
      { name: 'apiKey', value: 'x' },
      { name: 'apiKey', value: BLANK },
    ],
    [{ 'a=1&token=abc': 1 }, { 'a=1&token=[removed]': BLANK }],
    [
      [1n, new Date(0), undefined, true],
      [1, '1970-01-01T00:00:00.000Z', null, true],
    ],
    ['plain', 'plain'],
    [{}, {}],
    [[], []],
  ])('as a value: row %#', (value, expected) => {
    expect(redactor.redactValue(value)).toEqual(expected);
  });

  it('that are told, in the ways in which they are written', () => {
    const told = new Redactor({ known: ['hunter "2" ü', 'abc'] });
    expect(told.redact(`a hunter "2" ü b ${JSON.stringify('hunter "2" ü')} ${encodeURIComponent('hunter "2" ü')} abc`)).toBe(
      'a [removed] b "[removed]" [removed] abc',
    );
  });

  it('of users: hashes of passwords stay in their file, and nothing else does', async () => {
    const users = new Redactor({ keepsPasswordHashes: true });
    const hash = await hashPassword('x');
    const token = randomBytes(32).toString('base64url');
    expect(users.redactValue([{ name: 'ann', password: hash, token: hash.slice(0, 5), note: hash }])).toEqual([
      { name: 'ann', password: hash, token: BLANK, note: hash },
    ]);
    expect(users.redactValue({ password: 'plain', key: token })).toEqual({ password: BLANK, key: BLANK });
    expect(users.redact(`ann:${hash}:0\nbob:${token}:1`)).toBe(`ann:${hash}:0\nbob:${BLANK}:1`);
    expect(redactor.redactValue({ password: hash, note: hash })).toEqual({ password: BLANK, note: BLANK });
  });
});

describe('ordinary text stays', () => {
  it.each([
    'Nov 22 01:02:03 probe spillway[812]: listening on http://127.0.0.1:8470/api/npm.packet_export/1.3',
    'sshd[91]: pam_unix(sshd:auth): authentication failure; logname= uid=0 user=ann rhost=2001:db8::17',
    'inet6 fe80::a00:27ff:fe4e:66a1/64 scope link, ::1, 2001:0db8:85a3:0000:0000:8a2e:0370:7334',
    'sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  jobs/eth0/000000000001.pcapng',
    'id 0b6a0d5e-5a7d-4d4e-9a39-0c0d9f1a3c11 etag "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
    '/var/lib/spillway/jobs/eth0/segments/2026-11-22T00-00-00Z/index.sidecar',
    '/usr/lib/x86_64-linux-gnu/libLLVM-14.so.1/A_very_long_name_that_is_43c',
    '/aVeryLongCamelCaseFolderNameOfFortyThreeCh/x',
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    'login failed: wrong password (user ann from 192.0.2.7)',
    'the token has expired; Basic authentication is used, a bearer token is not',
    '{"level":30,"time":1763771000000,"msg":"request completed","res":{"statusCode":200},"error_id":"AUTH_EXPIRED_TOKEN","n":1}',
    'nodejs_eventloop_lag_seconds{quantile="0.99"} 0.0104 # HELP spillway_tokens_total tokens given out',
    'mkdir -p /srv/data && ssh -p 2222 git@example.com tar -u user',
    'eth0: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc fq_codel state UP link/ether 52:54:00:12:34:56',
    'a=1&b=2 c: 3 https://example.com/a@b?x=y#z ann@example.com',
    'tcp port 443 and (host 192.0.2.7 or net 10.0.0.0/8) and not ether src 00:11:22:33:44:55',
    'passed: 12, compass: north, bypass=on, pins: 4, keys: 3, monkey=banana, session: 12',
    '--password-stdin --encrypt -o file.zip',
  ])('%s', async (line) => {
    expect(redactor.redact(line)).toBe(line);
    expect(redactor.redactValue({ line })).toEqual({ line });
    expect(await stream(`${line}\n`.repeat(3000), 10_000)).toBe(`${line}\n`.repeat(3000));
  });
});

describe('any length', () => {
  const token = randomBytes(32).toString('base64url');

  it.each([1, 1000, 65_535, 65_536, 65_537, 1 << 20])('pieces of %i characters: a secret over every border is found', async (size) => {
    const far = size === 1 ? 70_000 : 200_000;
    for (const near of [0, 1, 20, 42, 43, 44, 8191, 8192, 8193]) {
      const text = `${'x y '.repeat(far / 4)}${'z'.repeat(near)} password="${token.slice(9)} ${near}" ${token} ${'w '.repeat(9000)}`;
      const out = await stream(text, size);
      expect(out).not.toContain(token.slice(9));
      expect(out.length).toBe(text.length - (token.length - 9 + 1 + String(near).length) - token.length + 2 * BLANK.length);
      if (size === 1) break;
    }
  });

  it('a secret of a megabyte, quoted or not, leaves one blank', async () => {
    const long = 'S3cret'.repeat(200_000);
    expect(await stream(`a "password":"${long}","b":1\nc`, 100_000)).toBe(`a "password":"${BLANK}","b":1\nc`);
    expect(await stream(`a token=${long} b`, 100_000)).toBe(`a token=${BLANK} b`);
    expect(await stream(`Cookie: ${long} ${long}\nb`, 100_000)).toBe(`Cookie: ${BLANK}\nb`);
  });

  it('a private key without an end takes no more than a key could', async () => {
    const out = await stream(`-----BEGIN PRIVATE KEY-----\n${'AAAA\n'.repeat(10_000)}${'after it\n'.repeat(40_000)}`, 4096);
    expect(out).not.toContain('AAAA');
    expect(out.length).toBeGreaterThan(200_000);
  });

  it.each([
    ['a line without a space', 'a'],
    ['names', 'password'],
    ['names and dashes', '--password '],
    ['names with separators', 'token='],
    ['names and quotes', '"password":"'],
    ['quotes and backslashes', '\\"'],
    ['a secret of backslashes', 'password="\\\\\\'],
    ['open lists', '"token":['],
    ['addresses', 'a://a:'],
    ['addresses with names', 'http://u:p'],
    ['frames of keys', '-----BEGIN PRIVATE KEY'],
    ['whole frames of keys', '-----BEGIN PRIVATE KEY-----'],
    ['parts of tokens', 'eyJabcdefgh.'],
    ['hashes', '$6$aaaaaaaa$'],
    ['scrypt', 'scrypt:1:1:1:'],
    ['spaces', 'password               '],
    ['snmp', 'snmp community '],
    ['mixed case', 'aB3-_'],
    ['delimiters', 'token=a&a'],
    ['colons', ':'],
  ])('%s: time grows with the length alone', async (_, part) => {
    const begun = performance.now();
    let length = 0;
    const text = part.repeat((1 << 20) / part.length);
    async function* pieces(): AsyncGenerator<string> {
      for (let i = 0; i < 1; i++) yield text;
    }
    for await (const piece of redactor.redactText(pieces())) length += piece.length;
    expect(length).toBeGreaterThan(0);
    expect(performance.now() - begun).toBeLessThan(3000);
  });
});
