/** Updates of a peer, through its own REST face: begun there, and asked after. */
import { ERRORS, SpillwayError, type ErrorCode } from '../errors.js';
import { membersOf, objectFrom, textOf, type Members } from './answers.js';
import { exchange, PATIENCE, type Patience, type PeerRequest } from './connection.js';
import { failed } from './failure.js';
import {
  DOWNLOAD_STATES,
  INSTALL_ERRORS,
  INSTALL_PROGRESS,
  INSTALL_STATES,
  type DownloadStep,
  type InstallError,
  type InstallProgress,
  type InstallStep,
  type InstallWish,
  type Step,
} from './install.js';
import type { Credentials } from './profiles.js';
import type { SecurePeer } from './secure.js';

/** How far a peer is with an update. */
export interface Install {
  id: string;
  package: string;
  progress: InstallProgress;
  error: InstallError;
  detail: string;
  download: DownloadStep;
  install: InstallStep;
}

/** A peer that answers, and says no. */
export class Refusal extends SpillwayError {
  constructor(
    peer: SecurePeer,
    readonly status: number,
    /** The code that it gives; null: none that is known here. */
    readonly refused: ErrorCode | null,
  ) {
    super('PEER_FAILED', failed(peer, refused === null ? `answers with HTTP status ${status}` : `refuses it: ${ERRORS[refused].about}`).message);
  }
}

const BASE = '/api/spillway.update/1.0';
/** It goes into a path. */
const ID = /^[0-9a-f]{24}$/;
/** Of a sentence that others read here. */
const DETAIL_LENGTH = 500;

/** Where a repository has the file of a package. */
export const packagePath = (id: string): string => `${BASE}/packages/items/${id}/file`;

/** Everything rejects with PEER_UNREACHABLE, PEER_FAILED, a `Refusal`, or why the signal aborted. */
export class UpdateClient {
  readonly #headers: Record<string, string>;
  /** Never told to anybody else, whatever the peer writes. */
  readonly #secrets: readonly string[];

  constructor(
    private readonly peer: SecurePeer,
    { username, password }: Credentials,
    private readonly patience: Patience = PATIENCE,
  ) {
    const basic = Buffer.from(`${username}:${password}`).toString('base64');
    this.#headers = { authorization: `Basic ${basic}` };
    this.#secrets = [password, basic];
  }

  /** The update that runs there, or the last one; null: there was none. */
  async last(signal: AbortSignal): Promise<Install | null> {
    const { install } = await this.#ask({ method: 'GET', path: `${BASE}/status` }, 200, signal);
    const found = membersOf(install);
    return found === null ? null : this.#read(found);
  }

  async begin(wish: InstallWish, signal: AbortSignal): Promise<Install> {
    return this.#read(await this.#ask({ method: 'POST', path: `${BASE}/install`, body: wish }, 202, signal));
  }

  async look(id: string, signal: AbortSignal): Promise<Install> {
    return this.#read(await this.#ask({ method: 'GET', path: `${BASE}/install/items/${id}` }, 200, signal));
  }

  #ask(request: PeerRequest, expected: number, signal: AbortSignal): Promise<Members> {
    const { peer, patience } = this;
    return exchange(peer, { ...request, headers: this.#headers }, { signal, patience }, async (answer) => {
      if (answer.status === expected) return objectFrom(peer, answer);
      const code = await objectFrom(peer, answer).then(
        ({ error_id: given }) => given,
        () => null,
      );
      throw new Refusal(peer, answer.status, typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : null);
    });
  }

  #read(members: Members): Install {
    const { peer } = this;
    const word = <T extends string>(of: Members, name: string, words: readonly T[]): T => {
      const found = words.find((each) => each === of[name]);
      if (found === undefined) throw failed(peer, `answers without a ${name} that can be used`);
      return found;
    };
    const step = <T extends string>(name: string, words: readonly T[]): Step<T> => {
      const of = membersOf(members[name]) ?? {};
      const number = (each: string): number => amount(of[each]);
      return {
        status: word(of, 'status', words),
        progress: Math.min(number('progress'), 100),
        bytes: number('bytes'),
        total_bytes: number('total_bytes'),
        rate: number('rate'),
        start_time: number('start_time'),
        end_time: number('end_time'),
        detail: this.#sentence(of['detail']),
      };
    };
    return {
      id: textOf(peer, members, 'id', ID),
      package: textOf(peer, members, 'package', ID),
      progress: word(members, 'update_progress_status', INSTALL_PROGRESS),
      error: word(members, 'error', INSTALL_ERRORS),
      detail: this.#sentence(members['detail']),
      download: step('download_status', DOWNLOAD_STATES),
      install: step('install_status', INSTALL_STATES),
    };
  }

  #sentence(value: unknown): string {
    if (typeof value !== 'string' || this.#secrets.some((secret) => value.includes(secret))) return '';
    return value.slice(0, DETAIL_LENGTH).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  }
}

/** A count that can be shown, whatever the peer says. */
const amount = (value: unknown): number => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0);
