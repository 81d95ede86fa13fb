/** A sender that goes on in the background, and what its frames are like. */
import { spawn, type ChildProcess } from 'node:child_process';
import { afterAll } from 'vitest';
import { sender, type Network } from './live.js';
import { numberOf, type StoredPacket } from './segments.js';

export interface SendingOptions {
  size: number;
  rate: number;
  /** Where it is not stopped before. */
  count: number;
  first?: number;
}

/** Sends frames that are filled with their number, on `va`. */
export class Sending {
  readonly #child: ChildProcess;
  /** How many were sent, where it came to its end by itself. */
  readonly sent: Promise<number>;

  constructor(network: Network, { size, rate, count, first = 0 }: SendingOptions) {
    const flags = { size, rate, count, first, fill: 1 };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn('ip', ['netns', 'exec', network.name, sender(), '--interface', 'va', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    this.#child = child;
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    this.sent = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve((JSON.parse(out) as { sent: number }).sent);
        else reject(new Error(`the sender ended with ${code}`));
      });
    });
    this.sent.catch(() => undefined);
  }
  stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    return this.sent.then(
      () => undefined,
      () => undefined,
    );
  }
}

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) if (child.exitCode === null) child.kill('SIGKILL');
});

const ADDRESSES_AT = 26;
const UDP_AT = 34;
const PAYLOAD_AT = 42;

/** What a stored frame of `Sending` should be, byte for byte; made by its own rules (bench/native/send.cc tells them). */
export class Frames {
  readonly #expected: Buffer;
  readonly #number = Buffer.alloc(8);

  /** `snap`: they are stored with so many bytes. */
  constructor(
    readonly size: number,
    readonly snap = size,
  ) {
    const frame = Buffer.alloc(size);
    frame.write('020000000002' + '020000000001' + '0800' + '4500', 'hex');
    frame.writeUInt16BE(size - 14, 16);
    frame.writeUInt8(64, 22);
    frame.writeUInt8(17, 23);
    frame.write('0a000001' + '0a000002', ADDRESSES_AT, 'hex');
    frame.writeUInt16BE(9, UDP_AT + 2);
    frame.writeUInt16BE(size - 34, UDP_AT + 4);
    this.#expected = frame;
  }
  /** The frame's number, where all of its bytes are right; else null. */
  read(packet: StoredPacket): number | null {
    const { data, caplen, wirelen } = packet;
    if (caplen !== this.snap || wirelen !== this.size) return null;
    const number = numberOf(packet);
    this.#number.writeBigUInt64LE(BigInt(number));
    this.#expected.writeUInt16BE(1000 + (number % 97), UDP_AT);
    this.#expected.fill(this.#number, PAYLOAD_AT);
    return this.#expected.subarray(0, this.snap).equals(data) ? number : null;
  }
}
