/** The probes that packages are collected from: this one, and the peers that it was told of. No other is ever asked. */
import type { Sink } from '../engine/types.js';
import type { Collector, Section, Verbosity } from './collector.js';

/** What a diagnostic package is asked to hold, and of whom. */
export type DiagnosticInput = Record<Section, boolean> & {
  verbosity: Verbosity;
  /** Address of the peer that the package is about; null: this probe. */
  target: string | null;
};

/** How a peer's package arrives. */
export interface Fetching {
  sink: Sink;
  signal: AbortSignal;
  /** 0 to 1, and what is being done. */
  progress: (done: number, step: string) => void;
  maxBytes: number;
}

/** A peer, and whom this probe is there. Everything rejects with PEER_UNREACHABLE or PEER_FAILED where the peer is at fault. */
export interface Peer {
  readonly address: string;
  /** Its diagnostic package, a ZIP. */
  diagnostic(input: DiagnosticInput, passphrase: string | null, fetching: Fetching): Promise<void>;
  /** Its support package, a .tar.gz. */
  support(fetching: Fetching): Promise<void>;
  /** Its answer to a call of its JSON-RPC. */
  relay(call: object, signal: AbortSignal): Promise<unknown>;
}

export interface Devices {
  /** Whether an address is this probe's own. */
  isOwn(address: string): boolean;
  /**
   * The peer of exactly this address; `profile`: the id of the credentials to be used, null: the peer's own, or the default
   * ones. Throws PEER_NOT_FOUND, PROFILE_NOT_FOUND.
   */
  peer(address: string, profile: string | null): Peer;
  /** What a package of this probe is made of. */
  collectors(): Collector[];
  about(): { version: string; serial: string; device: string; createdMs: number };
}
