/** The network interfaces of the machine: what they are, and what they counted. */
import { readdir } from 'node:fs/promises';
import type { Collector } from '../collector.js';
import { BOUNDS } from '../limits.js';
import { jsonLines } from '../pieces.js';
import type { Places } from '../places.js';

const FOLDER = 'sys/class/net';
const ATTRIBUTES = ['ifindex', 'type', 'flags', 'mtu', 'operstate', 'carrier', 'speed', 'duplex'] as const;
const COUNTERS = [
  'rx_packets',
  'rx_bytes',
  'rx_dropped',
  'rx_errors',
  'rx_missed_errors',
  'tx_packets',
  'tx_bytes',
  'tx_dropped',
  'tx_errors',
] as const;

export function interfaces(places: Places): Collector {
  return {
    name: 'interfaces',
    section: 'status',
    file: 'status/interfaces.jsonl',
    about: 'Network interfaces with their state and counters, as the system tells',
    ...BOUNDS.interfaces,
    collect: ({ signal }) => jsonLines(each(places), signal),
  };
}

async function* each(places: Places): AsyncGenerator<unknown> {
  for (const name of await readdir(places.path(FOLDER))) {
    const told = async (attribute: string): Promise<[string, string | number | null]> => {
      const text = (await places.text(`${FOLDER}/${name}/${attribute}`))?.trim() ?? null;
      return [attribute.replace('statistics/', ''), text !== null && /^-?\d+$/.test(text) ? Number(text) : text];
    };
    // bonding_masters stands among them and is none.
    if ((await places.text(`${FOLDER}/${name}/ifindex`)) === null) continue;
    const all = await Promise.all([...ATTRIBUTES, ...COUNTERS.map((counter) => `statistics/${counter}`)].map(told));
    yield { name, ...Object.fromEntries(all) };
  }
}
