/** The address at which a peer sees this machine. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { unreachable } from './failure.js';
import type { Peer } from './peers.js';

/** As the system would route to the peer: nothing is sent. Rejects with PEER_UNREACHABLE. */
export async function sourceAddressTo(peer: Pick<Peer, 'address' | 'ip' | 'port'>): Promise<string> {
  const socket = createSocket(isIPv6(peer.ip) ? 'udp6' : 'udp4');
  try {
    socket.connect(peer.port, peer.ip);
    await once(socket, 'connect');
    return socket.address().address;
  } catch {
    throw unreachable(peer, 'no way leads there');
  } finally {
    socket.close();
  }
}
