/** Which addresses and names mean this machine and no other. */
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { SpillwayError } from '../errors.js';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** The address to bind for a configured host; refuses what others can reach, unless what goes over the wire is safe. */
export function listenAddress(host: string, isSafe = false): string {
  // Not resolved: what the name means to this machine could be changed.
  if (host === 'localhost') return '127.0.0.1';
  if (isLoopback(host) || (isSafe && isIP(host) !== 0)) return host;
  throw new SpillwayError(
    'ADDRESS_FORBIDDEN',
    isSafe
      ? `${JSON.stringify(host)} is neither an address nor localhost: say 0.0.0.0 for all, or a loopback address for this machine alone`
      : `${JSON.stringify(host)} is not a loopback address: elsewhere than on 127.0.0.1, ::1 or localhost the probe listens only with TLS ` +
          '(--tls-cert and --tls-key; spillway tls init makes both), or without it where --insecure-http allows that, and with a user (spillway users add)',
  );
}

/** Every address of this machine. */
export const isWildcard = (address: string): boolean => isIP(address) !== 0 && /^[0:.]+$/.test(address);

/** The addresses that others reach a listener at. */
export function addressesOf(bound: string): string[] {
  if (!isWildcard(bound)) return [bound];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  // One of a link alone is of no use to others.
  const found = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:')).map(({ address }) => address);
  return found.length > 0 ? found : [isIP(bound) === 6 ? '::1' : '127.0.0.1'];
}
