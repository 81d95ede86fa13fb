/** The first of two readings: tshark is given every packet of the range, and says which ones its filters accept. */
import { Dissection } from '../dissect/dissection.js';
import type { DissectLimits } from '../dissect/limits.js';
import { SpillwayError } from '../errors.js';
import type { Chosen } from '../native.js';
import { Filters } from './filters.js';
import type { Plan } from './plan.js';
import { streamOut, type Passage } from './stream-out.js';
import type { Totals } from './totals.js';
import { NO_LIMITS, type ExportRequest } from './types.js';

/** The answer, and of how many packets. */
export interface Choice extends Chosen {
  packets: bigint;
}

export interface Choosing extends Pick<Passage, 'pool' | 'slots' | 'signal'> {
  limits: Partial<DissectLimits> | undefined;
  /** Told how many bytes of input tshark was given by now. */
  onMoved: (bytesIn: number) => void;
}

/** The plan of what tshark sees: nothing is cut, nothing is left out, and times keep their nanoseconds. */
export function seenBy(plan: Plan): Plan {
  // A pcap file tells of no interface, which fields such as frame.interface_id show.
  const format = plan.sources.every(({ beginning }) => beginning?.info.container === 'pcap') && plan.sources.length === 1 ? 'pcap_ns' : 'pcapng_ns';
  const request: ExportRequest = { sources: plan.request.sources, filters: [], windows: [], snapLengthBytes: 0, limits: NO_LIMITS, format };
  const everything = new Filters([], () => Promise.reject(new SpillwayError('INTERNAL', 'there is no filter to compile')));
  return { ...plan, request, filters: everything, windowsNs: plan.seenNs, dissected: [] };
}

export async function choose(plan: Plan, { limits, onMoved, ...rest }: Choosing): Promise<Choice> {
  const dissection = await Dissection.start(plan.dissected, limits);
  // It may wait for tshark, which only its end ends.
  const stop = (): void => void dissection.abort();
  rest.signal?.addEventListener('abort', stop);
  if (rest.signal?.aborted) stop();
  let sent = 0n;
  const check = (totals: Totals): void => void (sent = totals.packetsOut);
  try {
    await streamOut(seenBy(plan), dissection, { ...rest, chosen: null, onMoved, check });
  } finally {
    rest.signal?.removeEventListener('abort', stop);
  }
  if (BigInt(dissection.lastNumber) > sent)
    throw new SpillwayError('DISSECTOR_FAILED', `tshark answers with packet ${dissection.lastNumber} of ${sent}`);
  return { rangeNs: plan.seenNs, bits: dissection.chosen, packets: sent };
}

/** Numbers mean packets only where both readings met the same ones. */
export function checkNumbered({ numbered, stoppedBy }: Totals, { packets }: Choice): void {
  if (stoppedBy === null ? numbered === packets : numbered <= packets) return;
  throw new SpillwayError('RECEIPT_MISMATCH', `${numbered} packets were met where tshark was given ${packets}: a source has changed meanwhile`);
}
