/** What goes wrong with a peer, as one sentence that names it. Nothing that a peer sent is repeated: it could be our password. */
import { SpillwayError } from '../errors.js';
import type { Peer } from './peers.js';

type Named = Pick<Peer, 'address'>;

export function unreachable({ address }: Named, why: string): SpillwayError {
  return new SpillwayError('PEER_UNREACHABLE', `the peer ${address} can not be reached: ${why}`);
}

/** `why`: what the peer does, as `does not speak TLS`. */
export function failed({ address }: Named, why: string): SpillwayError {
  return new SpillwayError('PEER_FAILED', `the peer ${address} ${why}`);
}

/** Why something stopped that a signal of ours stops. */
export function stopped({ address }: Named, signal: AbortSignal): SpillwayError {
  if (signal.reason instanceof SpillwayError) return signal.reason;
  return new SpillwayError('CANCELLED', `what was asked of the peer ${address} was cancelled`);
}
