/** The peers of a probe: the only addresses that it ever connects to. */
import { X509Certificate } from 'node:crypto';
import type { Audit } from '../access/audit.js';
import type { Actor } from '../access/users.js';
import { SpillwayError } from '../errors.js';
import type { PeerTable, StoredPeer } from '../state/peers.js';
import { formatAddress, parseAddress, spellings } from './address.js';
import { PEER_LIMITS } from './limits.js';
import type { Profiles } from './profiles.js';

export interface Peer {
  /** As it is shown; see address.ts. */
  address: string;
  ip: string;
  port: number;
  /** SHA-256 of its certificate, in lower-case hex; null: the certificate is held against `ca`. */
  pin: string | null;
  /** Certificates in PEM; null: those of the system. */
  ca: string | null;
  /** The id of the profile it is asked with; null: the default one. */
  profile: string | null;
}

export interface NewPeer {
  address: string;
  pin?: string | null;
  ca?: string | null;
  profile?: string | null;
}

export interface PeersOptions {
  table: PeerTable;
  profiles: Profiles;
  audit: Audit;
}

export class Peers {
  readonly #table: PeerTable;
  readonly #profiles: Profiles;
  readonly #audit: Audit;
  /** Everything of the table, by every text that names it: nobody else writes to it. */
  readonly #peers = new Map<string, Peer>();

  constructor({ table, profiles, audit }: PeersOptions) {
    this.#table = table;
    this.#profiles = profiles;
    this.#audit = audit;
    for (const stored of table.all()) this.#keep(stored);
  }

  /** By address. */
  list(): Peer[] {
    return [...new Set(this.#peers.values())].sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  /** The peer that a client names; null unless the text is exactly one of the spellings of a configured address. */
  find(text: string): Peer | null {
    return this.#peers.get(text) ?? null;
  }

  /** Throws PEER_NOT_FOUND. */
  get(text: string): Peer {
    const peer = this.find(text);
    if (peer === null) throw new SpillwayError('PEER_NOT_FOUND', `there is no peer ${JSON.stringify(text.slice(0, 100))}`);
    return peer;
  }

  add({ address, pin = null, ca = null, profile = null }: NewPeer, by: Actor): Peer {
    const canonical = formatAddress(parseAddress(address));
    if (pin !== null && ca !== null) throw new SpillwayError('REQUEST_INVALID', 'a peer has a pin or a CA, not both: the pin alone decides');
    const stored = { address: canonical, pin: pin === null ? null : parsePin(pin), ca, profile };
    if (ca !== null) checkCa(ca);
    const name = profile === null ? 'the default profile' : `the profile ${this.#profiles.get(profile).name}`;
    if (this.#peers.has(canonical)) throw new SpillwayError('PEER_EXISTS', `there is a peer ${canonical} already`);
    if (this.list().length >= PEER_LIMITS.peers)
      throw new SpillwayError('TOO_MANY_PEERS', `there are ${PEER_LIMITS.peers} peers, and no more may be`);
    this.#table.add(stored);
    const trust = pin !== null ? 'a pin' : ca !== null ? 'a CA of its own' : 'the CAs of the system';
    this.#audit.note({ ...by, action: 'peer_added', what: `${canonical}: ${trust}, ${name}` });
    return this.#keep(stored);
  }

  /** Throws PEER_NOT_FOUND. */
  remove(text: string, by: Actor): void {
    const peer = this.get(text);
    this.#table.remove(peer.address);
    for (const spelling of spellings(peer)) this.#peers.delete(spelling);
    this.#audit.note({ ...by, action: 'peer_deleted', what: peer.address });
  }

  #keep(stored: StoredPeer): Peer {
    const peer = Object.freeze({ ...stored, ...parseAddress(stored.address) });
    for (const spelling of spellings(peer)) this.#peers.set(spelling, peer);
    return peer;
  }
}

/** In lower case without colons, as `openssl x509 -fingerprint -sha256` shows it with them. */
function parsePin(text: string): string {
  const pin = text.toLowerCase();
  if (/^(?:[0-9a-f]{2}:){31}[0-9a-f]{2}$/.test(pin)) return pin.replaceAll(':', '');
  if (/^[0-9a-f]{64}$/.test(pin)) return pin;
  throw new SpillwayError('REQUEST_INVALID', 'the pin is no SHA-256 of a certificate: 64 hex digits, with or without colons between each two');
}

function checkCa(pem: string): void {
  const refuse = (why: string): SpillwayError => new SpillwayError('REQUEST_INVALID', `the CA ${why}`);
  if (Buffer.byteLength(pem) > PEER_LIMITS.caBytes) throw refuse(`is longer than ${PEER_LIMITS.caBytes} bytes`);
  // It is shown to admins, and that would show the key.
  if (pem.includes('PRIVATE KEY')) throw refuse('holds a private key: give the certificate alone');
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (certificates === null) throw refuse('holds no certificate in PEM');
  try {
    for (const each of certificates) new X509Certificate(each);
  } catch (error) {
    throw refuse(`can not be read: ${(error as Error).message}`);
  }
}
