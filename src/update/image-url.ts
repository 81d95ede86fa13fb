/** Where an update may come from: a configured peer, and nobody else. */
import { SpillwayError } from '../errors.js';
import type { Peer, Peers } from '../peer/peers.js';

const URL_LENGTH_MAX = 2000;

export interface ImageAddress {
  peer: Peer;
  /** With its query. */
  path: string;
}

/** Throws UPDATE_URL. */
export function imageAddress(text: string, peers: Pick<Peers, 'find'>): ImageAddress {
  const refuse = (why: string): SpillwayError => new SpillwayError('UPDATE_URL', `the address of the package ${why}`);
  if (text.length > URL_LENGTH_MAX) throw refuse(`is longer than ${URL_LENGTH_MAX} characters`);
  // What the parser would put right, or read as something else than a person does, is refused.
  const [, host, path] = /^https:\/\/([0-9a-f.:[\]]+)(\/[!-~]*)$/i.exec(text) ?? [];
  if (host === undefined || path === undefined || /[\\#]/.test(path)) throw refuse('is not one of the form https://ADDRESS:PORT/PATH');
  const peer = peers.find(host) ?? (/:\d+$/.test(host) ? null : peers.find(`${host}:443`));
  if (peer === null) throw refuse(`is that of ${host}, which is no peer: packages are fetched from peers alone`);
  return { peer, path };
}
