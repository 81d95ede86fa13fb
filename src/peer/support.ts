/** Support packages of a peer, through its own REST face. */
import { checkType, membersOf, objectFrom, textOf, type Members } from './answers.js';
import { COLLECT_PATIENCE, farewell, poll, type CollectOptions, type CollectPatience } from './collect.js';
import { exchange, type PeerAnswer, type PeerRequest } from './connection.js';
import { failed } from './failure.js';
import type { Credentials } from './profiles.js';
import type { SecurePeer } from './secure.js';

const BASE = '/nmx/v1';
/** It goes into a path. */
const ID = /^[0-9a-f]{24}$/;

/**
 * Lets the peer make a package of itself, writes it to the sink and removes it from the peer; gives its length. Rejects as
 * `collectDiagnostic` does. What was begun on the peer is cancelled where this is.
 */
export async function collectSupport(peer: SecurePeer, credentials: Credentials, options: CollectOptions): Promise<number> {
  const { progress = () => undefined } = options;
  const client = new SupportClient(peer, credentials, options);
  progress(0, 'ask');
  const operation = await client.begin();
  const fileID = await client.outcome(operation, (percentage) => progress((0.5 * percentage) / 100, 'collect'));
  progress(0.5, 'fetch');
  const bytes = await client.fetch(fileID, (part) => progress(0.5 + 0.5 * part, 'fetch'));
  progress(1, 'done');
  return bytes;
}

class SupportClient {
  readonly #headers: Record<string, string>;
  readonly #patience: CollectPatience;

  constructor(
    private readonly peer: SecurePeer,
    { username, password }: Credentials,
    private readonly options: CollectOptions,
  ) {
    this.#headers = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
    this.#patience = { ...COLLECT_PATIENCE, ...options.patience };
  }

  async begin(): Promise<string> {
    const body = { Switches: [{ Address: 'localhost' }] };
    const answer = await this.#ask({ method: 'POST', path: `${BASE}/support-packages`, body }, 202);
    return textOf(this.peer, answer, 'operationId', ID);
  }

  /** The id of the package; `heard` is told the operation's percentage. */
  async outcome(operation: string, heard: (percentage: number) => void): Promise<string> {
    const path = `${BASE}/operations/${operation}`;
    try {
      return await poll(this.peer, { signal: this.options.signal, patience: this.#patience }, async () => {
        const answer = await this.#ask({ method: 'GET', path }, 200);
        const { Status: status, Percentage: percentage } = answer;
        if (typeof percentage === 'number' && percentage >= 0 && percentage <= 100) heard(percentage);
        if (status === 'completed') return packageOf(this.peer, answer);
        if (status !== 'pending' && status !== 'in-progress') throw failed(this.peer, 'could not make its package');
        return null;
      });
    } catch (error) {
      await this.#drop(path);
      throw error;
    }
  }

  async fetch(fileID: string, heard: (part: number) => void): Promise<number> {
    const { peer, options } = this;
    const path = `${BASE}/support-packages/${fileID}`;
    try {
      const patience = { ...this.#patience, totalMs: this.#patience.packageMs };
      return await this.#exchange({ method: 'GET', path }, 200, { signal: options.signal, patience }, async ({ headers, body }) => {
        checkType(peer, headers['content-type'], 'application/octet-stream');
        const length = /^\d{1,15}$/.test(headers['content-length'] ?? '') ? Number(headers['content-length']) : null;
        if (length === null) throw failed(peer, 'does not tell the length of its package');
        if (length > options.maxBytes) throw failed(peer, `has made a package of ${length} bytes, and ${options.maxBytes} may be fetched`);
        let bytes = 0;
        for await (const piece of body) {
          bytes += piece.length;
          await options.sink.write(piece);
          heard(bytes / length);
        }
        if (bytes !== length) throw failed(peer, `sends ${bytes} bytes of a package of ${length}`);
        return bytes;
      });
    } finally {
      await this.#drop(path);
    }
  }

  #drop(path: string): Promise<void> {
    return farewell((signal) => this.#exchange({ method: 'DELETE', path }, null, { signal, patience: this.#patience }, async () => undefined));
  }

  #ask(request: PeerRequest, status: number): Promise<Members> {
    const { signal } = this.options;
    return this.#exchange(request, status, { signal, patience: this.#patience }, (answer) => objectFrom(this.peer, answer));
  }

  /** `expected` null: whatever it is. */
  #exchange<T>(
    request: PeerRequest,
    expected: number | null,
    options: { signal: AbortSignal; patience: CollectPatience },
    take: (answer: PeerAnswer) => Promise<T>,
  ): Promise<T> {
    return exchange(this.peer, { ...request, headers: this.#headers }, options, (answer) => {
      if (expected !== null && answer.status !== expected) throw failed(this.peer, refusalOf(answer.status));
      return take(answer);
    });
  }
}

function refusalOf(status: number): string {
  if (status === 401) return 'refuses the user name or the password of the profile';
  if (status === 403) return 'does not allow this to the user of the profile';
  if (status === 409) return 'makes such a package already';
  if (status === 429 || status === 503) return 'lets nobody log in for a while, or is busy';
  return `answers with HTTP status ${status}`;
}

function packageOf(peer: SecurePeer, { Result: result }: Members): string {
  const packages = membersOf(membersOf(result)?.['Data'])?.['packages'];
  const first = membersOf(Array.isArray(packages) ? packages[0] : null);
  if (first === null) throw failed(peer, 'has made no package');
  return textOf(peer, first, 'fileID', ID);
}
