/** A table of flows of one kind, some busy and most not, that old flows leave and new ones enter. */
import { RARE } from './profile.js';
import type { Random } from './random.js';

const CLIENTS = 20_000;
const SERVERS = 5_000;

/** Client 10.0.0.0/10, server 203.0.112.0/20: host words of IPv4, and the low words of IPv6 addresses. */
const clientWord = (n: number): number => (0x0a000000 + n * 53) >>> 0;
const serverWord = (n: number): number => (0xcb007000 + (n % 4096)) >>> 0;

export class Flows {
  readonly client: Uint32Array;
  readonly server: Uint32Array;
  readonly clientPort: Uint16Array;
  readonly serverPort: Uint16Array;
  /** Next sequence number of the client and of the server, in turn. */
  readonly sequence: Uint32Array;
  private oldest = 0;

  /** `size` is a power of two, at most 65536. */
  constructor(
    readonly size: number,
    private readonly ports: readonly (readonly [port: number, weight: number])[],
    random: Random,
  ) {
    this.client = new Uint32Array(size);
    this.server = new Uint32Array(size);
    this.clientPort = new Uint16Array(size);
    this.serverPort = new Uint16Array(size);
    this.sequence = new Uint32Array(2 * size);
    this.renew(size, random);
  }

  /** Ends the `count` oldest flows and begins as many. */
  renew(count: number, random: Random): void {
    for (let n = 0; n < count; n++) {
      const at = this.oldest;
      this.oldest = (at + 1) % this.size;
      this.client[at] = clientWord(random.below(CLIENTS));
      this.server[at] = serverWord(random.below(SERVERS));
      this.clientPort[at] = random.between(32768, 60999);
      this.serverPort[at] = this.pickPort(random);
      this.sequence[2 * at] = random.next();
      this.sequence[2 * at + 1] = random.next();
    }
  }

  private pickPort(random: Random): number {
    let share = random.below(100);
    for (const [port, weight] of this.ports) {
      if (share < weight) return port;
      share -= weight;
    }
    const port = random.between(1024, 30000);
    return port === RARE.port ? port + 1 : port;
  }
}
