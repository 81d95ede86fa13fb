import { beforeEach, describe, expect, it } from 'vitest';
import { ACCESS_LIMITS } from '../../src/access/limits.js';
import { Lockout } from '../../src/access/lockout.js';

let now: number;
let lockout: Lockout;
beforeEach(() => {
  now = 1000;
  lockout = new Lockout(() => now);
});

const { failuresOfName, failuresOfAddress, lockMs, failuresKeptMs, watched } = ACCESS_LIMITS;
const fail = (times: number, name = 'ann', address = '192.0.2.1'): boolean[] =>
  Array.from({ length: times }, () => lockout.begin(name, address).locks);
const refusal = (name = 'ann', address = '192.0.2.1'): unknown => {
  try {
    lockout.begin(name, address).undo();
    return null;
  } catch (error) {
    return error;
  }
};

describe('guessing', () => {
  it('is refused for a while after too many failures, and then begins anew', () => {
    expect(fail(failuresOfName)).toEqual([...Array<boolean>(failuresOfName - 1).fill(false), true]);
    expect(refusal()).toMatchObject({ code: 'AUTH_LOCKED', metrics: { retry_after: String(lockMs / 1000) } });
    expect(refusal('ann', '198.51.100.7')).toMatchObject({ code: 'AUTH_LOCKED' });
    expect(refusal('bob')).toBeNull();
    now += lockMs - 1;
    expect(refusal()).toMatchObject({ code: 'AUTH_LOCKED', metrics: { retry_after: '1' } });
    now += 1;
    expect(fail(failuresOfName - 1)).not.toContain(true);
    expect(refusal()).toBeNull();
  });

  it('is forgotten after a pause, or with the right password', () => {
    fail(failuresOfName - 1);
    now += failuresKeptMs;
    fail(failuresOfName - 1);
    lockout.begin('ann', '192.0.2.1').succeed();
    fail(failuresOfName - 1);
    expect(refusal()).toBeNull();
  });

  it('is not forgiven by an attempt that came to nothing', () => {
    fail(failuresOfName - 1);
    lockout.begin('ann', '192.0.2.1').undo();
    fail(1);
    expect(refusal()).toMatchObject({ code: 'AUTH_LOCKED' });
  });

  it('is counted for an address, over all names; success of one does not forgive the others', () => {
    for (let i = 0; i < failuresOfAddress - 1; i++) fail(1, `user${i}`);
    lockout.begin('me', '192.0.2.1').succeed();
    fail(1, 'other');
    expect(refusal('me')).toMatchObject({ code: 'AUTH_LOCKED' });
    expect(refusal('me', '192.0.2.2')).toBeNull();
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8::2', true],
    ['::1', '::2', true],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ])('from %s and %s is of one place: %s', (one, other, isSame) => {
    for (let i = 0; i < failuresOfAddress; i++) fail(1, `user${i}`, one);
    expect(refusal('me', other) !== null).toBe(isSame);
  });

  it('takes a bounded memory', () => {
    for (let i = 0; i < watched + 100; i++) fail(1, `${i}${'x'.repeat(1000)}`, `192.0.${i >> 8}.${i & 255}`);
    expect(lockout.size).toBeLessThanOrEqual(watched);
  });
});
