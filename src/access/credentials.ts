/** Whether a name and a password belong together: locked after too many failures, remembered for a while after success. */
import { createHmac, randomBytes } from 'node:crypto';
import { SpillwayError } from '../errors.js';
import type { Audit } from './audit.js';
import { Checks } from './checks.js';
import { ACCESS_LIMITS } from './limits.js';
import type { Lockout } from './lockout.js';
import { isPassword } from './password.js';
import type { Users } from './users.js';

interface Remembered {
  untilMs: number;
  /** What the user's password was kept as then: another one is not remembered. */
  hash: string;
}

export class Credentials {
  /** What is remembered can not be read out of the memory of another process, nor guessed without this. */
  readonly #key = randomBytes(32);
  readonly #remembered = new Map<string, Remembered>();
  /** Checks that run: whoever asks for the same waits for the same. */
  readonly #running = new Map<string, Promise<string>>();
  readonly #checks = new Checks();

  constructor(
    private readonly users: Users,
    private readonly lockout: Lockout,
    private readonly audit: Audit,
  ) {}

  /**
   * Resolves to the user's name; rejects with AUTH_INVALID_CREDENTIALS, AUTH_LOCKED or AUTH_BUSY. `onChecked`: the password
   * was right, and not merely remembered.
   */
  verify(name: string, password: string, address: string, onChecked: () => void = () => undefined): Promise<string> {
    const key = createHmac('sha256', this.#key)
      .update(JSON.stringify([name, password, address]))
      .digest('base64url');
    const running = this.#running.get(key);
    if (running) return running;
    const verified = this.#verify(key, name, password, address, onChecked).finally(() => this.#running.delete(key));
    this.#running.set(key, verified);
    return verified;
  }

  async #verify(key: string, name: string, password: string, address: string, onChecked: () => void): Promise<string> {
    const attempt = this.lockout.begin(name, address);
    const hash = this.users.find(name)?.password ?? null;
    const remembered = this.#remembered.get(key);
    if (remembered !== undefined && remembered.hash === hash && remembered.untilMs > performance.now()) {
      // Not forgiven: a client that asks all the time would hide one that guesses.
      attempt.undo();
      return name;
    }
    const isRight = await this.#checks
      .run(() => isPassword(password, hash))
      .catch((error: unknown) => {
        attempt.undo();
        throw error;
      });
    // Removed or changed while the password was looked at: it is right no more.
    if (!isRight || this.users.find(name)?.password !== hash) {
      // A name that nobody has may be a password, typed into the wrong field.
      const who = hash === null ? '' : name;
      this.audit.note({
        who,
        action: attempt.locks ? 'login_locked' : 'login_failed',
        what: hash === null ? 'no such user' : 'wrong password',
        address,
      });
      throw new SpillwayError('AUTH_INVALID_CREDENTIALS', 'the user name or the password is wrong');
    }
    attempt.succeed();
    this.#remember(key, hash);
    onChecked();
    return name;
  }

  #remember(key: string, hash: string): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, { untilMs: performance.now() + ACCESS_LIMITS.rememberMs, hash });
    if (this.#remembered.size > ACCESS_LIMITS.remembered) this.#remembered.delete(this.#remembered.keys().next().value!);
  }
}
