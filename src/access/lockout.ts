/**
 * Against guessing: whoever sends too many wrong passwords, for one user or from one address, is refused for a while, with
 * the right password as well, so that a guess tells nothing. A failure is counted before the password is checked: guesses that
 * are sent together are counted like those one after another.
 */
import { isIPv6 } from 'node:net';
import { SpillwayError } from '../errors.js';
import { ACCESS_LIMITS } from './limits.js';

interface Watched {
  failures: number;
  lastMs: number;
  lockedUntilMs: number;
}

export interface Attempt {
  /** If it fails, it is the last for a while. */
  readonly locks: boolean;
  /** It came to nothing: nobody looked at the password. */
  undo(): void;
  /** The password was right: the user's failures before it are forgiven. */
  succeed(): void;
}

export class Lockout {
  /** In the order of their last failures. */
  readonly #watched = new Map<string, Watched>();

  /** `nowMs`: of a clock that nobody sets. */
  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  get size(): number {
    return this.#watched.size;
  }

  /** Counts an attempt as failed; throws AUTH_LOCKED where there were too many before. */
  begin(name: string, address: string): Attempt {
    // Longer than any user's: what is kept is bounded.
    const nameKey = `name ${name.slice(0, 100)}`;
    const addressKey = `address ${placeOf(address)}`;
    this.#refuse(nameKey, `for the user ${JSON.stringify(name.slice(0, 100))}`);
    this.#refuse(addressKey, `from the address ${address}`);
    const locksName = this.#count(nameKey, ACCESS_LIMITS.failuresOfName);
    const locksAddress = this.#count(addressKey, ACCESS_LIMITS.failuresOfAddress);
    const undo = (): void => {
      this.#takeBack(nameKey);
      this.#takeBack(addressKey);
    };
    const succeed = (): void => {
      this.#watched.delete(nameKey);
      this.#takeBack(addressKey);
    };
    return { locks: locksName || locksAddress, undo, succeed };
  }

  #refuse(key: string, of: string): void {
    const left = (this.#watched.get(key)?.lockedUntilMs ?? 0) - this.nowMs();
    if (left <= 0) return;
    const seconds = Math.ceil(left / 1000);
    throw new SpillwayError('AUTH_LOCKED', `too many wrong passwords ${of}: try again in ${seconds} s`, { retry_after: String(seconds) });
  }

  #count(key: string, limit: number): boolean {
    const now = this.nowMs();
    const before = this.#watched.get(key);
    const goesOn = before !== undefined && now - before.lastMs < ACCESS_LIMITS.failuresKeptMs && before.lockedUntilMs === 0;
    const failures = goesOn ? before.failures + 1 : 1;
    this.#watched.delete(key);
    this.#watched.set(key, { failures, lastMs: now, lockedUntilMs: failures >= limit ? now + ACCESS_LIMITS.lockMs : 0 });
    if (this.#watched.size > ACCESS_LIMITS.watched) this.#watched.delete(this.#watched.keys().next().value!);
    return failures >= limit;
  }

  #takeBack(key: string): void {
    const watched = this.#watched.get(key);
    if (watched === undefined) return;
    watched.failures--;
    watched.lockedUntilMs = 0;
    if (watched.failures <= 0) this.#watched.delete(key);
  }
}

/** A client of IPv6 usually has a whole /64 to send from. */
function placeOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const groups = head.split(':').filter(Boolean);
  const missing = address.includes('::') ? 8 - groups.length - tail.split(':').filter(Boolean).length : 0;
  return [...groups, ...Array.from({ length: missing }, () => '0'), ...tail.split(':')].slice(0, 4).join(':');
}
