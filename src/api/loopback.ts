/** Which addresses and names mean this machine and no other. */
import { BlockList, isIP } from 'node:net';
import { SpillwayError } from '../errors.js';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** The address to bind for a configured host; refuses what others can reach, since there is no login yet. */
export function listenAddress(host: string): string {
  // Not resolved: what the name means to this machine could be changed.
  if (host === 'localhost') return '127.0.0.1';
  if (isLoopback(host)) return host;
  throw new SpillwayError(
    'ADDRESS_FORBIDDEN',
    `${host} is not a loopback address: without a login the probe listens on 127.0.0.1, ::1 or localhost only`,
  );
}
