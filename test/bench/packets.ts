/** Takes the bench's traffic apart, slowly and plainly, for its tests. */

export interface TestPacket {
  timeNs: bigint;
  recordBytes: number;
  frame: Buffer;
  tagged: boolean;
  version: 4 | 6;
  protocol: number;
  /** Source and target. */
  addresses: string[];
  ports: number[];
  ipHeader: Buffer;
  pseudoHeader: Buffer;
  /** TCP or UDP header and payload. */
  transport: Buffer;
}

export function packetsOf(file: Buffer): TestPacket[] {
  const packets: TestPacket[] = [];
  for (let at = 24; at < file.length;) {
    const captured = file.readUInt32LE(at + 8);
    const timeNs = BigInt(file.readUInt32LE(at)) * 1_000_000_000n + BigInt(file.readUInt32LE(at + 4)) * 1000n;
    const frame = file.subarray(at + 16, at + 16 + captured);
    if (frame.length !== captured || file.readUInt32LE(at + 12) !== captured) throw new Error(`no whole record at ${at}`);
    packets.push({ timeNs, recordBytes: 16 + captured, frame, ...headersOf(frame) });
    at += 16 + captured;
  }
  return packets;
}

function headersOf(frame: Buffer): Omit<TestPacket, 'timeNs' | 'recordBytes' | 'frame'> {
  const tagged = frame.readUInt16BE(12) === 0x8100;
  const ip = frame.subarray(tagged ? 18 : 14);
  const isV4 = frame.readUInt16BE(tagged ? 16 : 12) === 0x0800;
  const length = isV4 ? ip.readUInt16BE(2) : 40 + ip.readUInt16BE(4);
  if (length !== ip.length || ip[0]! >> 4 !== (isV4 ? 4 : 6)) throw new Error('the IP length is not that of the frame');
  const [source, target] = isV4 ? [ip.subarray(12, 16), ip.subarray(16, 20)] : [ip.subarray(8, 24), ip.subarray(24, 40)];
  const transport = ip.subarray(isV4 ? 20 : 40);
  const protocol = ip[isV4 ? 9 : 6]!;
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(transport.length, 0);
  tail.writeUInt32BE(protocol, 4);
  return {
    tagged,
    version: isV4 ? 4 : 6,
    protocol,
    addresses: [source, target].map((address) => (isV4 ? address.join('.') : address.toString('hex'))),
    ports: [transport.readUInt16BE(0), transport.readUInt16BE(2)],
    ipHeader: ip.subarray(0, isV4 ? 20 : 40),
    pseudoHeader: Buffer.concat([source, target, tail]),
    transport,
  };
}

/** Ones' complement sum of 16-bit words; a part of odd length counts as padded with a zero. */
export function sumOf(parts: Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let n = 0; n < part.length; n += 2) sum += (part[n]! << 8) | (part[n + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65536);
  return sum;
}
