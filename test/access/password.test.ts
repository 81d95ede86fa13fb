import { describe, expect, it } from 'vitest';
import { checkPassword, hashPassword, isPassword } from '../../src/access/password.js';

describe('a password', () => {
  it('is kept as a salted hash that only it fits', async () => {
    const [one, two] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
    expect(one).toMatch(/^scrypt:15:8:1:[\w-]{22}:[\w-]{43}$/);
    expect(one).not.toBe(two);
    expect(await isPassword('correct horse', one)).toBe(true);
    expect(await isPassword('correct horsf', one)).toBe(false);
    expect(await isPassword('', one)).toBe(false);
    expect(await isPassword('correct horse', null)).toBe(false);
  });

  it('is the same however a keyboard writes its letters', async () => {
    expect(await isPassword('Zu\u0308rich', await hashPassword('Z\u00fcrich'))).toBe(true);
  });

  it('is checked with the cost that it was hashed with', async () => {
    // Of RFC 7914, section 12, with another salt: N = 1024, r = 8, p = 16.
    const { scryptSync } = await import('node:crypto');
    const key = scryptSync('password', 'NaCl', 32, { N: 1024, r: 8, p: 16 });
    const hash = `scrypt:10:8:16:${Buffer.from('NaCl').toString('base64url')}:${key.toString('base64url')}`;
    expect([await isPassword('password', hash), await isPassword('Password', hash)]).toEqual([true, false]);
  });

  it.each(['', 'a\nb', 'a\0', '\u007f', 'x'.repeat(1025), 'ü'.repeat(513)])('is never %j, and the refusal does not tell it', (password) => {
    expect(() => checkPassword(password)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it('that is too long is wrong', async () => {
    expect(await isPassword('x'.repeat(100_000), await hashPassword('x'))).toBe(false);
  });

  it('takes as long to check for a user who does not exist', async () => {
    const hash = await hashPassword('x');
    const took = async (of: string | null): Promise<number> => {
      const began = performance.now();
      await isPassword('y', of);
      return performance.now() - began;
    };
    const [known, unknown] = [Math.min(await took(hash), await took(hash)), Math.min(await took(null), await took(null))];
    expect(unknown).toBeGreaterThan(known / 3);
  });
});
