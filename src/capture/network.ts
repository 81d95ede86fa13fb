/** The network interfaces of this machine, as the system tells of them. */
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = '/sys/class/net';
const IFF_UP = 1;
/** Hardware types (ARPHRD_*) whose frames have a link type (native/capture/link_type.h); those of the first are Ethernet. */
const ETHERNET = [1, 772];
const OTHERS = [65534, 519, 768, 769, 776, 801, 803];

export interface NetworkInterface {
  name: string;
  /** As the system numbers it. */
  index: number;
  hardwareType: number;
}

export interface InterfaceCounters {
  receivedPackets: bigint;
  receivedBytes: bigint;
  sentPackets: bigint;
  sentBytes: bigint;
  droppedPackets: bigint;
}

export type LinkState = 'UP' | 'DOWN' | 'CONNECTED' | 'DISCONNECTED' | 'UNKNOWN';

/** By number. */
export function networkInterfaces(): NetworkInterface[] {
  return readdirSync(FOLDER)
    .map((name) => ({ name, index: numberIn(name, 'ifindex'), hardwareType: numberIn(name, 'type') }))
    .filter(({ index }) => Number.isInteger(index)) // gone meanwhile, or no interface (bonding_masters)
    .sort((a, b) => a.index - b.index);
}

/** A filter is made for Ethernet, and other frames can't be captured with one. */
export function isCapturable({ hardwareType }: NetworkInterface, isFiltered: boolean): boolean {
  return ETHERNET.includes(hardwareType) || (!isFiltered && OTHERS.includes(hardwareType));
}

/** Of one that is there; `name` must be one that the system told. */
export function linkState(name: string): LinkState {
  const flags = numberIn(name, 'flags');
  if (Number.isNaN(flags)) return 'UNKNOWN';
  if ((flags & IFF_UP) === 0) return 'DOWN';
  if (numberIn(name, 'carrier') !== 1) return 'DISCONNECTED';
  // Those without a notion of it, as `lo`, are "unknown"; one that has a carrier and is neither is not ready yet.
  return ['up', 'unknown'].includes(textIn(name, 'operstate')) ? 'UP' : 'CONNECTED';
}

/** Since the interface came to be; 0 where it is gone. */
export function interfaceCounters(name: string): InterfaceCounters {
  const count = (counter: string): bigint => BigInt(textIn(name, `statistics/${counter}`) || 0);
  return {
    receivedPackets: count('rx_packets'),
    receivedBytes: count('rx_bytes'),
    sentPackets: count('tx_packets'),
    sentBytes: count('tx_bytes'),
    droppedPackets: count('rx_dropped') + count('tx_dropped'),
  };
}

/** NaN where there is none. */
function numberIn(name: string, attribute: string): number {
  const text = textIn(name, attribute);
  return text === '' ? NaN : Number(text);
}

/** Empty where it can't be read: the carrier of an interface that is switched off, or all of one that is gone. */
function textIn(name: string, attribute: string): string {
  try {
    return readFileSync(`${FOLDER}/${name}/${attribute}`, 'latin1').trim();
  } catch {
    return '';
  }
}
