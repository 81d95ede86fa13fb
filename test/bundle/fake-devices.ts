/** Devices without a network: what they give, and when, is said by the test. */
import type { Collector } from '../../src/bundle/collector.js';
import type { Devices, DiagnosticInput, Fetching, Peer } from '../../src/bundle/devices.js';
import { SpillwayError } from '../../src/errors.js';

export class FakeDevices implements Devices {
  /** What a peer gives; default: a few bytes. */
  readonly peers = new Map<string, (fetching: Fetching) => Promise<void>>();
  readonly relayed: object[] = [];
  /** Who was asked for which diagnostic package. */
  readonly asked: { address: string; input: DiagnosticInput; passphrase: string | null }[] = [];
  #open: () => void = () => undefined;
  /** Collectors of this probe wait for it. */
  gate: Promise<void> = Promise.resolve();

  shut(): void {
    this.gate = new Promise((resolve) => (this.#open = resolve));
  }
  open(): void {
    this.#open();
  }
  add(address: string, give: (fetching: Fetching) => Promise<void> = ({ sink }) => sink.write(Buffer.from(`package of ${address}`))): void {
    this.peers.set(address, give);
  }

  isOwn(address: string): boolean {
    return address === 'localhost';
  }
  about(): ReturnType<Devices['about']> {
    return { version: '0', serial: 'S', device: 'here', createdMs: Date.now() };
  }
  collectors(): Collector[] {
    const waiting = async ({ signal }: { signal: AbortSignal }): Promise<unknown> => {
      await Promise.race([this.gate, new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))]);
      return { fine: true };
    };
    const one = { section: null, about: 'a test', maxBytes: 1 << 20, maxMs: 60_000 } as const;
    return [{ ...one, name: 'first', file: 'first.json', collect: waiting }];
  }
  peer(address: string): Peer {
    const give = this.peers.get(address);
    if (!give) throw new SpillwayError('PEER_NOT_FOUND', `${JSON.stringify(address)} is not the address of a peer`);
    return {
      address,
      diagnostic: (input, passphrase, fetching) => {
        this.asked.push({ address, input, passphrase });
        return give(fetching);
      },
      support: give,
      relay: async (call) => {
        this.relayed.push(call);
        return { result: { relayed: true }, device: { tstamp: 1 } };
      },
    };
  }
}
