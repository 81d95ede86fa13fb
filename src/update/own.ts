/** How this probe is reached by its peers, and so where they find a package of it. */
import { isIPv6 } from 'node:net';
import { SpillwayError } from '../errors.js';
import type { Peer } from '../peer/peers.js';
import { sourceAddressTo } from '../peer/source-address.js';
import { packagePath } from '../peer/update.js';

export interface Own {
  /** The address that it listens on; null: all of the machine's. */
  bound: string | null;
  /** Those that others reach it at. */
  addresses(): readonly string[];
  port(): number;
  /** It is reached over HTTPS. */
  isSecure: boolean;
}

const LOOPBACK = ['127.0.0.1', '::1'];

/** Whether a peer is this probe itself. */
export function isOwn(own: Own, { ip, port }: Pick<Peer, 'ip' | 'port'>): boolean {
  return port === own.port() && [...LOOPBACK, ...own.addresses()].includes(ip);
}

/** Throws UPDATE_URL where members can't download from here. */
export function checkSecure({ isSecure }: Own): void {
  if (!isSecure)
    throw new SpillwayError('UPDATE_URL', 'this probe is not reached over HTTPS, so that no member can download from it: name an image server');
}

/** Where `member` finds the package: at `server`, or here. Rejects with UPDATE_URL, PEER_UNREACHABLE. */
export async function imageUrl(own: Own, member: Peer, server: Peer | null, id: string): Promise<string> {
  if (server !== null) return urlOf(server.ip, server.port, id);
  checkSecure(own);
  return urlOf(own.bound ?? (await sourceAddressTo(member)), own.port(), id);
}

const urlOf = (ip: string, port: number, id: string): string => `https://${isIPv6(ip) ? `[${ip}]` : ip}:${port}${packagePath(id)}`;
