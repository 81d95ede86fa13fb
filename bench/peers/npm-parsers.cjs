// What somebody on Node writes today to count the packets of `tcp port 443`: the npm package pcap-parser reads the
// file, the decoders of the npm package cap look into the packets. With --forward the packets go to standard output as
// pcap, so that they can be compared.
//
// Tagged frames are left out, as the filter expression leaves them out. cap is used without its addon, which only captures.
'use strict';
const pcap = require('pcap-parser');
const decoders = require('cap/lib/Decoders.js');

const { ETHERNET, IP } = decoders.PROTOCOL;
const PORT = 443;

function isWanted(packet) {
  const ethernet = decoders.Ethernet(packet);
  if (ethernet.info.vlan !== undefined) return false;
  let ip;
  if (ethernet.info.type === ETHERNET.IPV4) ip = decoders.IPV4(packet, ethernet.offset);
  else if (ethernet.info.type === ETHERNET.IPV6) ip = decoders.IPV6(packet, ethernet.offset);
  else return false;
  if (ip.info.protocol !== IP.TCP) return false;
  const tcp = decoders.TCP(packet, ip.offset);
  return tcp.info.srcport === PORT || tcp.info.dstport === PORT;
}

function record({ header, data }) {
  const bytes = Buffer.alloc(16 + data.length);
  bytes.writeUInt32LE(header.timestampSeconds, 0);
  bytes.writeUInt32LE(header.timestampMicroseconds, 4);
  bytes.writeUInt32LE(header.capturedLength, 8);
  bytes.writeUInt32LE(header.originalLength, 12);
  data.copy(bytes, 16);
  return bytes;
}

const FILE_HEADER = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex');

const [file, flag] = process.argv.slice(2);
const forward = flag === '--forward';
if (forward) process.stdout.write(FILE_HEADER);
let wanted = 0;
pcap
  .parse(file)
  .on('packet', (packet) => {
    if (!isWanted(packet.data)) return;
    wanted++;
    if (forward) process.stdout.write(record(packet));
  })
  .on('error', (error) => {
    console.error(error.message);
    process.exitCode = 1;
  })
  .on('end', () => {
    if (!forward) console.log(wanted);
  });
