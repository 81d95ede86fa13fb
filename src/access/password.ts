/** Passwords are kept as `scrypt:<log2 N>:<r>:<p>:<salt>:<key>` (RFC 7914), so that the cost can grow later. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { SpillwayError } from '../errors.js';
import { ACCESS_LIMITS } from './limits.js';

/** 32 MiB and some 60 ms for each guess. */
const COST = { logN: 15, r: 8, p: 1 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const FORM = /^scrypt:(\d+):(\d+):(\d+):([\w-]+):([\w-]+)$/;

/** Refuses what can be no password; the sentence never holds it. */
export function checkPassword(password: string): void {
  if (password === '') throw new SpillwayError('REQUEST_INVALID', 'the password is empty');
  if (isTooLong(password)) throw new SpillwayError('REQUEST_INVALID', `the password is longer than ${ACCESS_LIMITS.passwordBytes} bytes`);
  if (/[\u0000-\u001f\u007f]/.test(password)) throw new SpillwayError('REQUEST_INVALID', 'the password holds a control character');
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.logN, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join(':');
}

/** Takes as long for a user who does not exist (`hash` null) as for one who does. */
export async function isPassword(password: string, hash: string | null): Promise<boolean> {
  const [, logN, r, p, salt, key] = FORM.exec(hash ?? DUMMY)!;
  const tried = isTooLong(password) ? '' : password;
  const derived = await derive(tried, Buffer.from(salt!, 'base64url'), { logN: Number(logN), r: Number(r), p: Number(p) });
  return timingSafeEqual(derived, Buffer.from(key!, 'base64url')) && hash !== null && tried !== '';
}

const DUMMY = `scrypt:${COST.logN}:${COST.r}:${COST.p}:${'A'.repeat(22)}:${'A'.repeat(43)}`;

const isTooLong = (password: string): boolean => Buffer.byteLength(password) > ACCESS_LIMITS.passwordBytes;

/** Keyboards differ in how they write one and the same letter (RFC 8265). */
function derive(password: string, salt: Buffer, { logN, r, p }: typeof COST): Promise<Buffer> {
  const options = { N: 2 ** logN, r, p, maxmem: 256 * r * 2 ** logN };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, KEY_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
