/** Ethernet frames of the sample capture: ARP, and IPv4 with TCP, UDP or ICMP, all checksums right. */

export interface Host {
  mac: Buffer;
  ip: Buffer;
}

export const TCP = { FIN: 0x01, SYN: 0x02, PSH: 0x08, ACK: 0x10 } as const;
const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const;
const BROADCAST = Buffer.alloc(6, 0xff);

/** A host with a locally administered address on the link. */
export function host(ip: string, last: number): Host {
  return { mac: Buffer.from([0x02, 0, 0, 0, 0, last]), ip: Buffer.from(ip.split('.').map(Number)) };
}

/** RFC 826; `to` null asks everybody who has `asked`. */
export function arp(from: Host, to: Host | null, asked: Host): Buffer {
  const body = Buffer.alloc(28);
  body.set([0, 1, 8, 0, 6, 4, 0, to === null ? 1 : 2]);
  from.mac.copy(body, 8);
  from.ip.copy(body, 14);
  if (to !== null) to.mac.copy(body, 18);
  (to ?? asked).ip.copy(body, 24);
  return frame(to?.mac ?? BROADCAST, from.mac, 0x0806, body);
}

/** RFC 9293, without options. */
export function tcp(from: Host, to: Host, ports: [number, number], flags: number, seq: number, ack: number, data: Buffer): Buffer {
  const segment = Buffer.concat([Buffer.alloc(20), data]);
  segment.writeUInt16BE(ports[0], 0);
  segment.writeUInt16BE(ports[1], 2);
  segment.writeUInt32BE(seq >>> 0, 4);
  segment.writeUInt32BE(ack >>> 0, 8);
  segment[12] = 5 << 4;
  segment[13] = flags;
  segment.writeUInt16BE(64240, 14);
  segment.writeUInt16BE(checksum(pseudoHeader(from, to, PROTOCOL.tcp, segment.length), segment), 16);
  return ipv4(from, to, PROTOCOL.tcp, segment);
}

/** RFC 768. */
export function udp(from: Host, to: Host, ports: [number, number], data: Buffer): Buffer {
  const datagram = Buffer.concat([Buffer.alloc(8), data]);
  datagram.writeUInt16BE(ports[0], 0);
  datagram.writeUInt16BE(ports[1], 2);
  datagram.writeUInt16BE(datagram.length, 4);
  // A sum of 0 would mean "no checksum".
  datagram.writeUInt16BE(checksum(pseudoHeader(from, to, PROTOCOL.udp, datagram.length), datagram) || 0xffff, 6);
  return ipv4(from, to, PROTOCOL.udp, datagram);
}

/** RFC 792: an echo request, or the reply to it. */
export function echo(from: Host, to: Host, reply: boolean, id: number, sequence: number, data: Buffer): Buffer {
  const message = Buffer.concat([Buffer.alloc(8), data]);
  message[0] = reply ? 0 : 8;
  message.writeUInt16BE(id, 4);
  message.writeUInt16BE(sequence, 6);
  message.writeUInt16BE(checksum(message), 2);
  return ipv4(from, to, PROTOCOL.icmp, message);
}

function ipv4(from: Host, to: Host, protocol: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt16BE(0x4000, 6); // do not fragment
  header[8] = 64;
  header[9] = protocol;
  from.ip.copy(header, 12);
  to.ip.copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return frame(to.mac, from.mac, 0x0800, Buffer.concat([header, payload]));
}

/** Without the frame check sequence, padded to the 60 bytes that Ethernet sends at least. */
function frame(to: Buffer, from: Buffer, etherType: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(Math.max(60, 14 + payload.length));
  to.copy(bytes, 0);
  from.copy(bytes, 6);
  bytes.writeUInt16BE(etherType, 12);
  payload.copy(bytes, 14);
  return bytes;
}

function pseudoHeader(from: Host, to: Host, protocol: number, length: number): Buffer {
  return Buffer.concat([from.ip, to.ip, Buffer.from([0, protocol, length >> 8, length & 0xff])]);
}

/** RFC 1071 over the parts in order; each but the last has an even length. */
export function checksum(...parts: Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) sum += (part[i]! << 8) | (part[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
