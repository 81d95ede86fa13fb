/** Secrets to plant: every shape in which they stand in logs, settings and requests, each with a random one in it. */
import { randomBytes, randomInt } from 'node:crypto';

export interface Planted {
  text: string;
  /** What may be found nowhere. */
  secret: string;
}

export interface Shape {
  name: string;
  plant: () => Planted;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const from = (letters: string, length: number): string => Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
const word = (): string => from(LETTERS, 14);
/** As people choose them, with what separates other things. */
const hard = (): string => `${word().slice(0, 6)}&${word().slice(0, 4)};${word().slice(0, 4)},${word()}!`;
const b64 = (bytes: number): string => randomBytes(bytes).toString('base64');
const b64url = (bytes: number): string => randomBytes(bytes).toString('base64url');

const shape = (name: string, of: (secret: string) => string, secret: () => string = word): Shape => ({
  name,
  plant: () => {
    const made = secret();
    return { text: of(made), secret: made };
  },
});

const NAMES = [
  'password',
  'Password',
  'db_password',
  'adminPassword',
  'PGPASSWORD',
  'passwd',
  'passphrase',
  'encryption_passphrase',
  'secret',
  'client-secret',
  'AWS_SECRET_ACCESS_KEY',
  'token',
  'access_token',
  'refreshToken',
  'api_key',
  'api-key',
  'apikey',
  'X-Api-Key',
  'authorization',
  'Proxy-Authorization',
  'cookie',
  'session_id',
  'sessionKey',
  'private_key',
  'privateKey',
  'password_hash',
  'community',
  'credentials',
  'pin-code',
  'pw',
  'user.pass',
  'psk',
];

const NAMED: Shape[] = NAMES.flatMap((name) => [
  shape(`"${name}": "…"`, (secret) => `{"a":1,"${name}":"${secret}","b":[1]}`, hard),
  shape(`${name}=…`, (secret) => `a=1 ${name}=${secret} b=2`, hard),
  shape(`${name}: …`, (secret) => `${name}: ${secret}`, hard),
]);

/** A body as files of keys have: lines of 64 characters. */
const pem = (frame: string, lineEnd: string, secret: string): string =>
  [`-----BEGIN ${frame}-----`, secret, ...b64(96).match(/.{64}/g)!, `-----END ${frame}-----`].join(lineEnd);

export const SHAPES: readonly Shape[] = [
  ...NAMED,
  shape('quoted with a space', (secret) => `passphrase='correct ${secret} horse'`),
  shape('a quote inside', (secret) => `"password":"a\\"${secret}","b":2`),
  shape('a backslash at the end', (secret) => `"password":"${secret}\\\\","b":2`),
  shape('JSON inside of JSON', (secret) => `{"msg":"{\\"password\\":\\"${secret} x\\",\\"a\\":1}"}`),
  shape(
    'a number',
    (secret) => `{"pin_code": ${secret}, "a": 1}`,
    () => String(randomInt(1e9, 1e10)),
  ),
  shape('a list', (secret) => `"tokens": ["a", "${secret}"], "b": 1`),
  shape('an object', (secret) => `"credentials": {"a": "}", "b": "${secret}"}, "b": 1`),
  shape('spaces around =', (secret) => `password = correct horse ${secret}`),
  shape('an object without quotes', (secret) => `{ user: ann, password: ${secret}, a: 1 }`),
  shape('XML', (secret) => `<password>${secret}</password>`),
  shape('--password x', (secret) => `mount --password ${secret} --force`),
  shape('--password=x', (secret) => `mount --password=${secret} --force`),
  shape("--token 'x y'", (secret) => `run --api-token 'x ${secret}' --force`),
  shape('a list of arguments', (secret) => `["mount","--password","${secret}","/x"]`),
  shape('-u name:x', (secret) => `curl -u ann:${secret} example.com`),
  shape('sshpass -p x', (secret) => `sshpass -p ${secret} ssh x`),
  shape('a setting of two words', (secret) => `requirepass ${secret}`),
  shape('snmp', (secret) => `snmp-server community ${secret} RO`),
  shape('Cookie header', (secret) => `Cookie: a=b; spillway_session=${secret}; c=d`),
  shape('Set-Cookie header', (secret) => `< Set-Cookie: x=${secret}; Path=/`),
  shape('a cookie elsewhere', (secret) => `got spillway_session=${secret}; Path=/`),
  shape('query string', (secret) => `GET /x?a=b&token=${secret}&c=d HTTP/1.1`),
  shape('query string in a query string', (secret) => `GET /x?next=%2Flogin%3Ftoken%3D${secret} HTTP/1.1`),
  shape('header in JSON', (secret) => `{"headers":{"authorization":"Basic ${secret}","host":"x"}}`),
  shape('Authorization: Bearer', (secret) => `Authorization: Bearer ${secret}`),
  shape('Bearer', (secret) => `sent Bearer ${secret} to it`),
  shape(
    'bearer',
    (secret) => `sent bearer ${secret} to it`,
    () => `aB7${word()}`,
  ),
  shape(
    'Basic',
    (secret) => `sent Basic ${secret} to it`,
    () => Buffer.from(`ann:${word()}`).toString('base64'),
  ),
  shape('URL', (secret) => `https://ann:${secret}@example.com/x`),
  shape('URL with an odd password', (secret) => `postgres://ann:p,${secret};x@y@example.com/x`),
  shape('URL without a name', (secret) => `redis://:${secret}@192.0.2.7:6379`),
  shape('URL with a token', (secret) => `https://${secret}@example.com/x.git`),
  shape(
    'JWT',
    (secret) => `sent ${secret} to it`,
    () => `eyJhbGciOi${word()}.eyJ${word()}.${b64url(32)}`,
  ),
  shape(
    'our token',
    (secret) => `sent ${secret} to it`,
    () => b64url(32),
  ),
  shape(
    'our token, in brackets',
    (secret) => `(${secret}).`,
    () => b64url(32),
  ),
  shape(
    'our token, in an address',
    (secret) => `/x/${secret}/y`,
    () => b64url(32),
  ),
  shape(
    'our scrypt',
    (secret) => `ann ${secret} x`,
    () => `scrypt:15:8:1:${b64url(16)}:${b64url(32)}`,
  ),
  shape(
    'scrypt',
    (secret) => `$scrypt$ln=15,r=8,p=1$${b64(16)}$${secret}`,
    () => b64(32),
  ),
  shape(
    'argon2',
    (secret) => `$argon2id$v=19$m=65536,t=3,p=4$${b64url(16)}$${secret}`,
    () => b64url(32),
  ),
  shape(
    'bcrypt',
    (secret) => `$2b$12$${secret}`,
    () => from(`${LETTERS}./`, 53),
  ),
  shape(
    'crypt',
    (secret) => `ann:$6$rounds=5000$salt$${secret}:19000:0:99999:7:::`,
    () => from(`${LETTERS}./`, 86),
  ),
  shape(
    'yescrypt',
    (secret) => `root:$y$j9T$saltsalt$${secret}:1::`,
    () => from(`${LETTERS}./`, 43),
  ),
  shape(
    'pbkdf2',
    (secret) => `pbkdf2_sha256$260000$salt$${secret}=`,
    () => from(LETTERS, 43),
  ),
  shape(
    'LDAP',
    (secret) => `userHash {SSHA}${secret} x`,
    () => b64(24),
  ),
  shape(
    'AWS key id',
    (secret) => `key ${secret} used`,
    () => `AKIA${from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`,
  ),
  shape(
    'GitHub',
    (secret) => `key ${secret} used`,
    () => `ghp_${from(LETTERS, 36)}`,
  ),
  shape(
    'PEM',
    (secret) => pem('PRIVATE KEY', '\n', secret),
    () => b64(48),
  ),
  shape(
    'PEM of RSA, with \\r\\n',
    (secret) => pem('RSA PRIVATE KEY', '\r\n', secret),
    () => b64(48),
  ),
  shape(
    'PEM on one line',
    (secret) => `"key": "${pem('EC PRIVATE KEY', '\\n', secret)}"`,
    () => b64(48),
  ),
  shape(
    'PEM, encrypted',
    (secret) => pem('ENCRYPTED PRIVATE KEY', '\n', secret),
    () => b64(48),
  ),
  shape(
    'OpenSSH key',
    (secret) => pem('OPENSSH PRIVATE KEY', '\nNov 22 probe x[1]: ', secret),
    () => b64(48),
  ),
  shape(
    'a key without its frame',
    (secret) => secret,
    () => b64(48),
  ),
];
