/** What a capture file is, from its first kilobytes alone: cheap enough to ask of every file in a list. */
import { Scan, Selection, STATUS, type SourceInfo } from '../native.js';
import { readBytes, StreamDamage } from './bytes.js';
import { STEP_BYTES } from './limits.js';
import type { ExportFormat } from './types.js';

export interface CaptureFacts {
  /** The format an export would need to hold the same. */
  format: ExportFormat;
  /** Of the first packet among those bytes, or of the first interface; null without any. */
  linkType: number | null;
}

/** Behind so much, compressed or not, the first interface is not looked for: what stands before it is mostly names and comments. */
const LOOKED_AT_BYTES = 64 << 10;
/** Read at once: a pcap header, or a section with an interface, and a packet mostly. */
const STEP_READ_BYTES = 4 << 10;

const COUNT_ONE = { format: 'none', snapLengthBytes: 0, windowsNs: new BigInt64Array(0), filters: null } as const;

/** `fd`: of a regular file, at its start. Null: it is no capture. */
export async function captureFacts(fd: number): Promise<CaptureFacts | null> {
  const scan = new Scan(new Selection(COUNT_ONE));
  scan.openStream(0);
  scan.limit(1n, null, null, null);
  const enough = new AbortController();
  let taken = 0;
  let fed = 0;
  const take = (bytes: number): void => {
    if ((taken += bytes) >= LOOKED_AT_BYTES) enough.abort();
  };
  try {
    for await (const bytes of readBytes({ fd, compression: 'detect', pipe: false, bufferBytes: STEP_READ_BYTES }, enough.signal, take)) {
      scan.feed(bytes, false);
      fed += bytes.length;
      if (run(scan) !== STATUS.needInput || fed >= LOOKED_AT_BYTES) break;
    }
  } catch (error) {
    if (!(error instanceof StreamDamage)) throw error;
  } finally {
    enough.abort();
  }
  return factsOf(scan.info());
}

function run(scan: Scan): number {
  const out = new Uint8Array(1);
  let status: number;
  do status = scan.step(out, 0, STEP_BYTES);
  while (status === STATUS.budget);
  return status;
}

function factsOf({ container, timeUnit, sections, interfaces }: SourceInfo): CaptureFacts | null {
  if (container === null || sections === 0) return null;
  const first = interfaces.find(({ packets }) => packets > 0) ?? interfaces[0];
  const linkType = first?.linkType ?? null;
  if (container === 'pcap') return { format: timeUnit === 'ns' ? 'pcap_ns' : 'pcap_us', linkType };
  const { base, exponent } = first?.resolution ?? { base: 10, exponent: 6 };
  return { format: exponent > (base === 10 ? 6 : 20) ? 'pcapng_ns' : 'pcapng_us', linkType };
}
