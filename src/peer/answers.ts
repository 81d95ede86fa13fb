/** Small answers of a peer: JSON, bounded, and looked at before anything is made of it. */
import type { PeerAnswer } from './connection.js';
import { failed } from './failure.js';
import { PEER_LIMITS } from './limits.js';
import type { SecurePeer } from './secure.js';

export type Members = Readonly<Record<string, unknown>>;

/** What the peer sends, as a JSON object. */
export async function objectFrom(peer: SecurePeer, { headers, body }: PeerAnswer): Promise<Members> {
  checkType(peer, headers['content-type'], 'application/json');
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > PEER_LIMITS.answerBytes) throw failed(peer, `sends more than ${PEER_LIMITS.answerBytes} bytes where a few are expected`);
    pieces.push(piece);
  }
  return parseObject(peer, Buffer.concat(pieces).toString());
}

export function checkType(peer: SecurePeer, found: string | undefined, expected: string): void {
  if (found?.split(';', 1)[0]?.trim().toLowerCase() !== expected) throw failed(peer, `does not answer in ${expected}`);
}

export function parseObject(peer: SecurePeer, text: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw failed(peer, 'does not answer in JSON');
  }
  const members = membersOf(value);
  if (members === null) throw failed(peer, 'does not answer with a JSON object');
  return members;
}

/** Null: it is no object. */
export function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
}

/** A member that has to be there, as text of a form. */
export function textOf(peer: SecurePeer, members: Members, name: string, form: RegExp): string {
  const value = members[name];
  if (typeof value === 'string' && form.test(value)) return value;
  throw failed(peer, `answers without a ${name} that can be used`);
}
