/** Peers and profiles of a data folder, for the command line: through the server that has it, or else from the folder itself. */
import { SpillwayError } from '../errors.js';
import type { NewPeer, Peer } from '../peer/peers.js';
import type { Credentials, Profile } from '../peer/profiles.js';
import { ask, LOCAL_ADMIN, openDoor } from './door.js';

/** As the server shows both. */
export type ShownPeer = Omit<Peer, 'ip' | 'port'>;
export type ShownProfile = Omit<Profile, 'isDefault'> & { default: boolean };
export type NewShownProfile = Credentials & { name: string; default: boolean };

export interface PeersDoor {
  peers(): Promise<ShownPeer[]>;
  profiles(): Promise<ShownProfile[]>;
  addPeer(peer: NewPeer): Promise<void>;
  removePeer(address: string): Promise<void>;
  addProfile(profile: NewShownProfile): Promise<void>;
  removeProfile(id: string): Promise<void>;
  close(): void;
}

/** A folder that is not there is made for what is added, and for nothing else. */
export function openPeers(dataFolder: string, mayMake: boolean): Promise<PeersDoor> {
  return openDoor(dataFolder, mayMake, { throughServer, fromFolder, nothing: NOTHING });
}

const NOTHING: PeersDoor = {
  peers: async () => [],
  profiles: async () => [],
  addPeer: async () => undefined,
  removePeer: async (address) => {
    throw new SpillwayError('PEER_NOT_FOUND', `there is no peer ${JSON.stringify(address)}`);
  },
  addProfile: async () => undefined,
  removeProfile: async () => undefined,
  close: () => undefined,
};

async function fromFolder(dataFolder: string): Promise<PeersDoor> {
  const { openDataFolder } = await import('../state/data-folder.js');
  const { Audit } = await import('../access/audit.js');
  const { Peers } = await import('../peer/peers.js');
  const { Profiles } = await import('../peer/profiles.js');
  const data = await openDataFolder(dataFolder);
  const audit = new Audit(data.audit);
  const profiles = new Profiles({ table: data.profiles, peers: data.peers, audit });
  const peers = new Peers({ table: data.peers, profiles, audit });
  return {
    peers: async () => peers.list(),
    profiles: async () => profiles.list().map(({ isDefault, ...profile }) => ({ ...profile, default: isDefault })),
    addPeer: async (peer) => void peers.add(peer, LOCAL_ADMIN),
    removePeer: async (address) => peers.remove(address, LOCAL_ADMIN),
    addProfile: async ({ default: isDefault, ...profile }) => void profiles.add({ ...profile, isDefault }, LOCAL_ADMIN),
    removeProfile: async (id) => profiles.remove(id, LOCAL_ADMIN),
    close: () => data.close(),
  };
}

const BASE = '/api/spillway.admin/1.0';

function throughServer(dataFolder: string): PeersDoor {
  const to = <T>(method: string, path: string, body?: object): Promise<T> => ask<T>(dataFolder, method, `${BASE}${path}`, body);
  return {
    peers: async () => (await to<{ items: ShownPeer[] }>('GET', '/peers')).items,
    profiles: async () => (await to<{ items: ShownProfile[] }>('GET', '/profiles')).items,
    addPeer: (peer) => to('POST', '/peers', peer),
    removePeer: (address) => to('DELETE', `/peers/items/${encodeURIComponent(address)}`),
    addProfile: (profile) => to('POST', '/profiles', profile),
    removeProfile: (id) => to('DELETE', `/profiles/items/${encodeURIComponent(id)}`),
    close: () => undefined,
  };
}
