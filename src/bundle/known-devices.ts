/** The devices of a running probe: itself, and the peers that it is configured with. */
import { isIPv6 } from 'node:net';
import { SpillwayError } from '../errors.js';
import { collectDiagnostic, relayRpc } from '../peer/diagnostic.js';
import type { Peers } from '../peer/peers.js';
import type { Profiles } from '../peer/profiles.js';
import type { RpcCall } from '../peer/rpc.js';
import { collectSupport } from '../peer/support.js';
import type { Devices, Peer } from './devices.js';

export interface DevicesOptions extends Pick<Devices, 'collectors' | 'about'> {
  peers: Peers;
  profiles: Profiles;
  /** Addresses that this probe is reached at. */
  addresses: () => readonly string[];
  port: () => number;
}

const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

export function knownDevices({ peers, profiles, addresses, port, collectors, about }: DevicesOptions): Devices {
  const own = (): Set<string> => {
    const hosts = [...LOOPBACK, ...addresses()].flatMap((each) => (isIPv6(each) ? [each, `[${each}]`] : [each]));
    return new Set(hosts.flatMap((host) => (isIPv6(host) ? [host] : [host, `${host}:${port()}`])));
  };
  return {
    collectors,
    about,
    // What somebody configured as a peer is meant as one.
    isOwn: (address) => peers.find(address) === null && own().has(address),
    peer: (address, profile): Peer => {
      const peer = peers.find(address);
      if (peer === null)
        throw new SpillwayError('PEER_NOT_FOUND', `${JSON.stringify(address.slice(0, 100))} is not the address of this probe or of a peer of it`);
      const credentials = profiles.credentials(profile, peer.profile);
      return {
        address: peer.address,
        diagnostic: async ({ target: _, ...input }, passphrase, fetching) => {
          await collectDiagnostic(peer, credentials, { ...input, ...(passphrase !== null && { encryption_passphrase: passphrase }) }, fetching);
        },
        support: async (fetching) => void (await collectSupport(peer, credentials, fetching)),
        relay: (call, signal) => relayRpc(peer, credentials, call as RpcCall, { signal }),
      };
    },
  };
}
