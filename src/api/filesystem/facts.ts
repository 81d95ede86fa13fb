/** What is known of the files that were looked at, so that each is read once: kept as long as the file is the same. */
import { LIMITS } from '../../config.js';
import { captureFacts, type CaptureFacts } from '../../engine/capture-facts.js';
import { openWithoutLinks } from '../../state/descriptors.js';
import { identityOf, type Entry, type OpenEntry } from '../../state/file-entry.js';

export class KnownFiles {
  readonly #known = new Map<string, CaptureFacts | null>();

  /** `place`: where to open it, unless it is known. Null: it is no capture. */
  async at({ stat }: Entry, place: string): Promise<CaptureFacts | null> {
    const known = this.#known.get(identityOf(stat));
    if (known !== undefined) return known;
    const handle = await openWithoutLinks(place);
    try {
      const opened = await handle.stat({ bigint: true });
      return opened.isFile() ? this.#learn(identityOf(opened), await captureFacts(handle.fd)) : null;
    } finally {
      await handle.close();
    }
  }

  /** Of an open file that nothing was read from. */
  async of({ stat, handle }: OpenEntry): Promise<CaptureFacts | null> {
    const known = this.#known.get(identityOf(stat));
    return known !== undefined ? known : this.#learn(identityOf(stat), await captureFacts(handle.fd));
  }

  #learn(identity: string, facts: CaptureFacts | null): CaptureFacts | null {
    this.#known.set(identity, facts);
    const [oldest] = this.#known.keys();
    if (this.#known.size > LIMITS.knownFiles) this.#known.delete(oldest!);
    return facts;
  }
}
