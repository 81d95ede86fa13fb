/** Time that is left: through restarts, and through clocks that are set. */
import { afterEach, describe, expect, it } from 'vitest';
import { Expiry } from '../../src/task/expiry.js';

const HOUR = 3_600_000;

/** What is written down, and clocks that stand still until they are moved. */
class World {
  steady = 0;
  wall = Date.UTC(2026, 0, 1);
  readonly saved = new Map<string, [expiresMs: number, leftMs: number]>();
  readonly gone: string[] = [];
  #expiry: Expiry | undefined;

  begin(): Expiry {
    const store = { saveExpiry: (id: string, expires: number, left: number) => void this.saved.set(id, [expires, left]) };
    const clocks = { steadyMs: () => this.steady, wallMs: () => this.wall };
    this.#expiry = new Expiry(store, (id) => this.gone.push(id), undefined, clocks);
    return this.#expiry;
  }
  pass(ms: number): void {
    this.steady += ms;
    this.wall += ms;
    this.#expiry?.look();
  }
  /** Another process, whose steady clock begins anew. */
  restart(): Expiry {
    this.end();
    this.steady = 0;
    const expiry = this.begin();
    for (const [id, [expires, left]] of this.saved) if (!this.gone.includes(id)) expiry.restore(id, expires, left);
    expiry.look();
    return expiry;
  }
  end(): void {
    this.#expiry?.close();
  }
}

let world = new World();
afterEach(() => {
  world.end();
  world = new World();
});

describe('expiry', () => {
  it('lets go of things in their turn, and not before', () => {
    const expiry = world.begin();
    expiry.start('a', HOUR);
    expiry.start('b', 2 * HOUR);
    world.pass(HOUR - 1);
    expect(world.gone).toEqual([]);
    world.pass(1);
    expect(world.gone).toEqual(['a']);
    expect(expiry.whenMs('a')).toBeNull();
    expect(expiry.whenMs('b')).toBe(world.wall + HOUR);
    expiry.stop('b');
    world.pass(2 * HOUR);
    expect(world.gone).toEqual(['a']);
  });

  it('goes on behind a restart, and counts the time between', () => {
    world.begin().start('a', 10 * HOUR);
    world.pass(4 * HOUR);
    world.end();
    world.wall += 3 * HOUR;
    expect(world.restart().whenMs('a')).toBe(world.wall + 3 * HOUR);
    world.end();
    world.wall += 4 * HOUR;
    world.restart();
    expect(world.gone).toEqual(['a']);
  });

  it.each([
    ['forward', 365 * 24 * HOUR],
    ['back', -365 * 24 * HOUR],
  ])('is not moved by a clock that is set %s while it runs', (_, jump) => {
    const expiry = world.begin();
    expiry.start('a', HOUR);
    world.wall += jump;
    world.pass(HOUR / 2);
    expect(world.gone).toEqual([]);
    expect(expiry.whenMs('a')).toBe(world.wall + HOUR / 2);
    world.pass(HOUR / 2);
    expect(world.gone).toEqual(['a']);
  });

  it('is not prolonged by a clock that was set back while no server ran', () => {
    world.begin().start('a', 10 * HOUR);
    world.pass(4 * HOUR);
    world.end();
    world.wall -= 365 * 24 * HOUR;
    expect(world.restart().whenMs('a')).toBe(world.wall + 6 * HOUR);
  });

  it('writes down what is left now and then: a process that is killed says nothing', () => {
    world.begin().start('a', 10 * HOUR);
    for (let i = 0; i < 240; i++) world.pass(HOUR / 60);
    expect(world.saved.get('a')![1]).toBeLessThanOrEqual(6 * HOUR + HOUR / 6);
  });

  it('fires by itself', async () => {
    const gone = new Promise<string>((resolve) => {
      const expiry = new Expiry({ saveExpiry: () => undefined }, resolve);
      expiry.start('late', 3_000_000_000);
      expiry.start('soon', 5);
      // Its timer keeps no process alive; this one does.
      const held = setInterval(() => expiry.whenMs('soon') ?? clearInterval(held), 1);
    });
    expect(await gone).toBe('soon');
  });
});
