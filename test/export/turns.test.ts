import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/export/turns.js';

const never = new AbortController().signal;

describe('turns', () => {
  it('are as many as there are, and go to those who wait in order', async () => {
    const turns = new Turns(2);
    expect([turns.tryTake(), turns.tryTake(), turns.tryTake(), turns.taken]).toEqual([true, true, false, 2]);
    const order: number[] = [];
    const waits = [1, 2, 3].map((i) => turns.take(never).then(() => order.push(i)));
    turns.give();
    await waits[0];
    expect([order, turns.taken, turns.tryTake()]).toEqual([[1], 2, false]);
    turns.give();
    turns.give();
    await Promise.all(waits);
    expect(order).toEqual([1, 2, 3]);
    turns.give();
    turns.give();
    expect(turns.taken).toBe(0);
    await turns.take(never);
    expect(turns.taken).toBe(1);
  });

  it('are not given to who has gone', async () => {
    const turns = new Turns(1);
    await turns.take(never);
    const gone = new AbortController();
    const waiting = expect(turns.take(gone.signal)).rejects.toThrow('gone');
    const next = turns.take(never);
    gone.abort(new Error('gone'));
    await waiting;
    await expect(turns.take(gone.signal)).rejects.toThrow('gone');
    turns.give();
    await next;
    turns.give();
    expect(turns.taken).toBe(0);
  });
});
