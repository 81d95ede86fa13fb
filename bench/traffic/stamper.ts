/** Turns layouts into traffic: gives each record its time and its flow, with checksums that are right. */
import { Flows } from './flows.js';
import { ETHERNET_BYTES, IPV4, IPV6, TCP, UDP, type Layout } from './layout.js';
import { NANOSECONDS_PER_BYTE, RARE, START_SECONDS, TCP_PORTS, UDP_PORTS, WIRE_OVERHEAD_BYTES } from './profile.js';
import type { Random } from './random.js';

/** New flows with every chunk, of the table of TCP over IPv4; the other tables change at the same pace for their size. */
const RENEWED_SHARE = 1 / 32;

export class Stamper {
  /** Nanoseconds since START_SECONDS of the next packet. */
  private clock = 0;
  private identification = 0;
  private untilPair: number;
  private untilHost: number;
  private untilPort: number;
  private readonly tables: Flows[] = [];
  /** Packets stamped, and the packets that hold both the rare host and the rare port. */
  packets = 0;
  pairs = 0;

  constructor(private readonly random: Random) {
    this.tables[IPV4 | TCP] = new Flows(65536, TCP_PORTS, random);
    this.tables[IPV4 | UDP] = new Flows(16384, UDP_PORTS, random);
    this.tables[IPV6 | TCP] = new Flows(8192, TCP_PORTS, random);
    this.tables[IPV6 | UDP] = new Flows(4096, UDP_PORTS, random);
    this.untilPair = this.spread(RARE.pairEvery);
    this.untilHost = this.spread(RARE.hostEvery);
    this.untilPort = this.spread(RARE.portEvery);
  }

  /** Time of the last packet in nanoseconds since the epoch, as written: whole microseconds. */
  lastNs = 0n;

  /** Stamps the first `records` records of `layout`, in place. */
  stamp(layout: Layout, records: number): void {
    const { view, offset, random } = { view: layout.view, offset: layout.offset, random: this.random };
    for (const table of this.tables) table.renew(Math.floor(table.size * RENEWED_SHARE), random);
    for (let n = 0; n < records; n++) {
      const at = offset[n]!;
      const micros = Math.floor(this.clock / 1000);
      view.setUint32(at, START_SECONDS + Math.floor(micros / 1_000_000), true);
      view.setUint32(at + 4, micros % 1_000_000, true);
      const wire = offset[n + 1]! - at - 16 + WIRE_OVERHEAD_BYTES;
      const bits = random.next();
      // Gaps from half to one and a half times the mean.
      this.clock += Math.round(wire * NANOSECONDS_PER_BYTE * (0.5 + (bits & 0xff) / 255));
      this.stampFlow(layout, n, (bits >>> 8) & 1);
    }
    this.packets += records;
    if (records > 0) {
      const at = offset[records - 1]!;
      this.lastNs = BigInt(view.getUint32(at, true)) * 1_000_000_000n + BigInt(view.getUint32(at + 4, true)) * 1000n;
    }
  }

  private stampFlow(layout: Layout, n: number, fromServer: number): void {
    const kind = layout.kind[n]!;
    const table = this.tables[kind]!;
    const bits = this.random.next();
    // The product of two even variables: the first flows are many times busier than the last.
    const flow = Math.floor((((bits >>> 16) * (bits & 0xffff)) / 4294967296) * table.size);
    let client = table.client[flow]!;
    const server = table.server[flow]!;
    let serverPort = table.serverPort[flow]!;
    this.untilPair--;
    this.untilHost--;
    this.untilPort--;
    if (kind === (IPV4 | TCP) && layout.ip[n]! - layout.offset[n]! === 16 + ETHERNET_BYTES) {
      if (this.untilPair <= 0) {
        client = RARE.hostWord;
        serverPort = RARE.port;
        this.pairs++;
        this.untilPair = this.spread(RARE.pairEvery);
      } else if (this.untilHost <= 0) {
        client = RARE.hostWord;
        this.untilHost = this.spread(RARE.hostEvery);
      } else if (this.untilPort <= 0) {
        serverPort = RARE.port;
        this.untilPort = this.spread(RARE.portEvery);
      }
    }
    const clientPort = table.clientPort[flow]!;
    if (fromServer === 1) this.writeFlow(layout, n, kind, table, 2 * flow + 1, server, client, serverPort, clientPort);
    else this.writeFlow(layout, n, kind, table, 2 * flow, client, server, clientPort, serverPort);
  }

  private writeFlow(
    layout: Layout,
    n: number,
    kind: number,
    table: Flows,
    side: number,
    source: number,
    target: number,
    sourcePort: number,
    targetPort: number,
  ): void {
    const { view } = layout;
    const ip = layout.ip[n]!;
    const payload = layout.payload[n]!;
    const isTcp = (kind & UDP) === 0;
    const addressSum = (source >>> 16) + (source & 0xffff) + (target >>> 16) + (target & 0xffff);
    let transport: number;
    let sum = layout.payloadSum[n]! + addressSum + (isTcp ? 6 : 17) + payload + (isTcp ? 20 : 8) + sourcePort + targetPort;
    if ((kind & IPV6) === 0) {
      transport = ip + 20;
      this.identification = (this.identification + 1) & 0xffff;
      view.setUint16(ip + 4, this.identification);
      view.setUint32(ip + 12, source);
      view.setUint32(ip + 16, target);
      const header = 0x4500 + (payload + (isTcp ? 40 : 28)) + this.identification + 0x4000 + (isTcp ? 0x4006 : 0x4011) + addressSum;
      view.setUint16(ip + 10, complement(header));
    } else {
      transport = ip + 40;
      view.setUint32(ip + 20, source);
      view.setUint32(ip + 36, target);
      sum += 2 * (0x2001 + 0x0db8);
    }
    view.setUint16(transport, sourcePort);
    view.setUint16(transport + 2, targetPort);
    if (isTcp) {
      const sequence = table.sequence[side]!;
      const acknowledged = table.sequence[side ^ 1]!;
      table.sequence[side] = sequence + payload;
      view.setUint32(transport + 4, sequence);
      view.setUint32(transport + 8, acknowledged);
      sum += 0x5010 + 0xfaf0 + (sequence >>> 16) + (sequence & 0xffff) + (acknowledged >>> 16) + (acknowledged & 0xffff);
      view.setUint16(transport + 16, complement(sum));
    } else {
      sum += payload + 8; // the length stands in the header as well as in the pseudo header
      view.setUint16(transport + 6, complement(sum) || 0xffff);
    }
  }

  /** Packets until the next rare one: even on average, never in step with anything. */
  private spread(every: number): number {
    return this.random.between(every / 2, (every * 3) / 2);
  }
}

/** The Internet checksum's end: carries folded in, then inverted. */
function complement(sum: number): number {
  let folded = (sum & 0xffff) + Math.floor(sum / 65536);
  folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}
