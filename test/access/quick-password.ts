/**
 * In place of src/access/password.ts where a test is about something else: a hash that costs nothing.
 *
 *   vi.mock('../../src/access/password.js', () => import('./quick-password.js'));
 */
import { createHash } from 'node:crypto';
import { vi } from 'vitest';

const real = await vi.importActual<typeof import('../../src/access/password.js')>('../../src/access/password.js');

export const { checkPassword } = real;

export async function hashPassword(password: string): Promise<string> {
  return createHash('sha256').update(password).digest('hex');
}

export async function isPassword(password: string, hash: string | null): Promise<boolean> {
  // Not in the same tick: others come in between, as they do.
  await new Promise((resolve) => setImmediate(resolve));
  return (await hashPassword(password)) === hash;
}
