import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/export/turns.js';

const never = new AbortController().signal;

describe('turns', () => {
  it('are as many as there are, and go to those who wait in order', async () => {
    const turns = new Turns(2);
    await turns.take('ann', never);
    await turns.take('bob', never);
    const order: number[] = [];
    const waits = [1, 2, 3].map((i) => turns.take('ann', never).then(() => order.push(i)));
    expect([turns.taken, turns.waiting]).toEqual([2, 3]);
    turns.give('ann');
    await waits[0];
    expect([order, turns.taken, turns.waiting]).toEqual([[1], 2, 2]);
    turns.give('bob');
    turns.give('ann');
    await Promise.all(waits);
    expect(order).toEqual([1, 2, 3]);
    turns.give('ann');
    turns.give('ann');
    expect(turns.taken).toBe(0);
    await turns.take('ann', never);
    expect(turns.taken).toBe(1);
  });

  it('are not given to who has gone', async () => {
    const turns = new Turns(1);
    await turns.take('ann', never);
    const gone = new AbortController();
    const waiting = expect(turns.take('ann', gone.signal)).rejects.toThrow('gone');
    const next = turns.take('ann', never);
    gone.abort(new Error('gone'));
    await waiting;
    await expect(turns.take('ann', gone.signal)).rejects.toThrow('gone');
    turns.give('ann');
    await next;
    turns.give('ann');
    expect(turns.taken).toBe(0);
  });

  it('are promised to those alone who could have them, one for each', async () => {
    const turns = new Turns(3, 2);
    for (const owner of ['ann', 'ann', 'bob']) await turns.take(owner, never);
    expect(turns.tryPromise('bob')).toBe(false);
    const first = turns.take('ann', never);
    // Of bob's turn ann could make nothing: she has as many as she may.
    expect(turns.tryPromise('bob')).toBe(false);
    expect(turns.tryPromise('ann')).toBe(true);
    expect(turns.tryPromise('ann')).toBe(false);
    const second = turns.take('cy', never);
    expect(turns.tryPromise('bob')).toBe(true);
    for (const owner of ['ann', 'bob']) turns.give(owner);
    await Promise.all([first, second]);
    expect([turns.taken, turns.waiting, turns.tryPromise('ann')]).toEqual([3, 0, false]);
  });

  it('are not all of one owner', async () => {
    const turns = new Turns(3, 2);
    await turns.take('ann', never);
    await turns.take('ann', never);
    const order: string[] = [];
    const own = turns.take('ann', never).then(() => order.push('ann'));
    await turns.take('bob', never);
    const other = turns.take('bob', never).then(() => order.push('bob'));
    turns.give('bob');
    await other;
    expect([order, turns.waiting]).toEqual([['bob'], 1]);
    turns.give('ann');
    await own;
    expect(order).toEqual(['bob', 'ann']);
  });
});
