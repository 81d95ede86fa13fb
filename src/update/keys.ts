/** The keys that packages may be signed with. As long as there is one, nothing else is taken. */
import type { KeyObject } from 'node:crypto';
import type { Audit } from '../access/audit.js';
import type { Actor } from '../access/users.js';
import { SpillwayError } from '../errors.js';
import type { StoredKey, UpdateKeyTable } from '../state/updates.js';
import { UPDATE_LIMITS } from './limits.js';
import { fingerprintOf, readPublicKey } from './signature.js';

export class UpdateKeys {
  readonly #table: UpdateKeyTable;
  readonly #audit: Audit;
  /** Everything of the table, by fingerprint: nobody else writes to it. */
  readonly #kept = new Map<string, { stored: StoredKey; key: KeyObject }>();

  constructor({ table, audit }: { table: UpdateKeyTable; audit: Audit }) {
    this.#table = table;
    this.#audit = audit;
    for (const stored of table.all()) this.#kept.set(stored.fingerprint, { stored, key: readPublicKey(stored.pem) });
  }

  /** In the order in which they came. */
  list(): StoredKey[] {
    return [...this.#kept.values()].map(({ stored }) => stored);
  }

  /** For whoever verifies. */
  keys(): KeyObject[] {
    return [...this.#kept.values()].map(({ key }) => key);
  }

  /** `pem`: a public key. Throws KEY_INVALID, KEY_EXISTS or TOO_MANY_KEYS. */
  add(pem: string, name: string, by: Actor): StoredKey {
    if (name === '' || name.length > UPDATE_LIMITS.keyNameLength || /\p{Cc}/u.test(name))
      throw new SpillwayError('REQUEST_INVALID', `the name of the key has not 1 to ${UPDATE_LIMITS.keyNameLength} printable characters`);
    if (pem.length > UPDATE_LIMITS.keyBytes) throw new SpillwayError('KEY_INVALID', `it is longer than ${UPDATE_LIMITS.keyBytes} characters`);
    const key = readPublicKey(pem);
    const fingerprint = fingerprintOf(key);
    if (this.#kept.has(fingerprint)) throw new SpillwayError('KEY_EXISTS', `the key ${fingerprint} is there already`);
    if (this.#kept.size >= UPDATE_LIMITS.keys) throw new SpillwayError('TOO_MANY_KEYS', `there are ${UPDATE_LIMITS.keys} keys, and no more may be`);
    const stored: StoredKey = { fingerprint, name, pem: key.export({ type: 'spki', format: 'pem' }).toString(), addedMs: Date.now() };
    this.#table.add(stored);
    this.#kept.set(fingerprint, { stored, key });
    this.#audit.note({ ...by, action: 'update_key_added', what: `${name}: ${fingerprint}` });
    return stored;
  }

  /** Packages that it has signed stay. Throws KEY_NOT_FOUND. */
  remove(fingerprint: string, by: Actor): void {
    const known = this.#kept.get(fingerprint);
    if (!known) throw new SpillwayError('KEY_NOT_FOUND', `there is no key ${JSON.stringify(fingerprint.slice(0, 100))}`);
    this.#table.remove(fingerprint);
    this.#kept.delete(fingerprint);
    this.#audit.note({ ...by, action: 'update_key_deleted', what: `${known.stored.name}: ${fingerprint}` });
  }
}
