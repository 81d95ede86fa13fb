import { expect, it } from 'vitest';
import { Checks } from '../../src/access/checks.js';
import { ACCESS_LIMITS } from '../../src/access/limits.js';

it('a few run at once, some wait in order, more are refused', async () => {
  const checks = new Checks();
  const { checksAtOnce, checksWaiting } = ACCESS_LIMITS;
  let running = 0;
  let most = 0;
  const order: number[] = [];
  let open!: () => void;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const work = async (i: number): Promise<void> => {
    most = Math.max(most, ++running);
    await gate;
    order.push(i);
    running--;
    if (i === 1) throw new Error('a failure gives its turn back, too');
  };
  const all = Array.from({ length: checksAtOnce + checksWaiting }, (_, i) => checks.run(() => work(i)).catch(() => undefined));
  await expect(checks.run(() => work(-1))).rejects.toMatchObject({ code: 'AUTH_BUSY' });
  open();
  await Promise.all(all);
  expect(most).toBe(checksAtOnce);
  expect(order).toEqual(all.map((_, i) => i));
  await checks.run(async () => undefined);
});
