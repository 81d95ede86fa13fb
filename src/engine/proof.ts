/**
 * Display filters without tshark: each has a program that answers, and one that accepts the packets of which that is surely what
 * tshark says. A first reading looks whether all packets that tshark would see are such; if one is not, tshark has to be asked.
 */
import type { FilterText } from '../filter/languages.js';
import { translateWireshark } from '../filter/wireshark/wireshark.js';
import { ScanContext } from './context.js';
import { Filters, type Compile } from './filters.js';
import type { Plan } from './plan.js';
import { scan } from './scan.js';
import type { Passage } from './stream-out.js';
import { Totals } from './totals.js';
import { NO_LIMITS } from './types.js';

/** `ret #0`: of packets of this link type nothing is certain. */
const NONE = Uint8Array.of(0x06, 0, 0, 0, 0, 0, 0, 0);

const certainly: Compile = async (filter, linkType) => {
  const { text } = filter as Exclude<FilterText, string>;
  return { code: translateWireshark(text, linkType)?.certain ?? NONE, rejectsAll: false };
};

/** Reads what tshark would see; nothing of the plan is closed. */
export async function isCertain(plan: Plan, { pool, slots, signal, onMoved }: Omit<Passage, 'chosen' | 'check'>): Promise<boolean> {
  const filters = new Filters(
    plan.dissected.map((text) => ({ language: 'wireshark', text })),
    certainly,
  );
  for (const linkType of plan.linkTypes) await filters.compileFor(linkType);
  if (needsNoLook(plan, filters)) return true;
  const totals = new Totals();
  const isDoubtful = (): boolean => totals.packetsOut < totals.packetsInWindows;
  const context: ScanContext = new ScanContext(pool, filters, 'none', 0, plan.seenNs, NO_LIMITS, totals, [...slots], () => {
    onMoved(context.bytesIn(), 0, totals);
    if (isDoubtful()) context.cancel();
  });
  const cancel = (): void => context.cancel();
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted) cancel();
  try {
    for await (const _ of scan(plan.sources, context));
    return !isDoubtful();
  } catch (error) {
    // What was given up for one packet is answered.
    if (isDoubtful() && !signal?.aborted) return false;
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** Everything is certain of packets of these link types, and there are no others: a pcap file has one alone. */
function needsNoLook({ sources, dissected }: Plan, filters: Filters): boolean {
  if (!sources.every(({ beginning }) => beginning?.info.container === 'pcap' && beginning.linkType !== null)) return false;
  return dissected.every((_, i) => filters.programsOf(i).every(({ code }) => isAcceptance(code)));
}

/** One instruction: `ret #k`, with a k that is not 0. */
function isAcceptance(code: Uint8Array): boolean {
  return code.length === 8 && code[0] === 0x06 && code.subarray(4).some((byte) => byte !== 0);
}
