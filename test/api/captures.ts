/** Small captures made by tests, and a reader for what comes back. */

export interface TestPacket {
  ns: bigint;
  bytes: Buffer;
  /** Length on the wire; default: that of `bytes`. */
  wire?: number;
}

/** A pcap file with nanoseconds, Ethernet, little-endian. */
export function pcap(packets: TestPacket[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b23c4d, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(262144, 16);
  head.writeUInt32LE(1, 20);
  return Buffer.concat([head, ...packets.flatMap(record)]);
}

function record({ ns, bytes, wire = bytes.length }: TestPacket): Buffer[] {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(Number(ns / 1_000_000_000n), 0);
  head.writeUInt32LE(Number(ns % 1_000_000_000n), 4);
  head.writeUInt32LE(bytes.length, 8);
  head.writeUInt32LE(wire, 12);
  return [head, bytes];
}

/** Packets of a whole little-endian pcap file of either unit; throws where it is not whole. */
export function packetsOf(file: Buffer): TestPacket[] {
  const unit = { 0xa1b2c3d4: 1000n, 0xa1b23c4d: 1n }[file.readUInt32LE(0)];
  if (unit === undefined) throw new Error('no pcap file');
  const packets: TestPacket[] = [];
  for (let at = 24; at < file.length;) {
    const length = file.readUInt32LE(at + 8);
    if (at + 16 + length > file.length) throw new Error('the file is cut');
    const ns = BigInt(file.readUInt32LE(at)) * 1_000_000_000n + BigInt(file.readUInt32LE(at + 4)) * unit;
    packets.push({ ns, bytes: file.subarray(at + 16, at + 16 + length), wire: file.readUInt32LE(at + 12) });
    at += 16 + length;
  }
  return packets;
}

/** An Ethernet frame of UDP from 192.0.2.1 to 192.0.2.2 with the given ports. */
export function udpFrame(from: number, to: number, length = 100): Buffer {
  const frame = Buffer.alloc(length);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(length - 14, 16);
  frame[22] = 64;
  frame[23] = 17;
  frame.set([192, 0, 2, 1, 192, 0, 2, 2], 26);
  frame.writeUInt16BE(from, 34);
  frame.writeUInt16BE(to, 36);
  frame.writeUInt16BE(length - 34, 38);
  return frame;
}
