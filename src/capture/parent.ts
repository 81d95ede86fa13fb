/**
 * A server without privileges, started by a root process that does nothing but start captures for it
 * (src/privileged/parent.ts): the server's end of the way between the two. One line of JSON asks, one answers, in turn.
 */
import { Socket } from 'node:net';
import { coded, ERRORS, SpillwayError, type ErrorCode } from '../errors.js';
import type { CaptureSettings } from './executable.js';
import { linesOf } from './lines.js';

/** The one thing that can be asked: to capture into the job's folder. `program`: with the filter that lies in it. */
export interface CaptureRequest extends CaptureSettings {
  id: string;
  program: boolean;
}

export type CaptureAnswer = { ok: true } | { ok: false; code: ErrorCode; sentence: string };

/** Names the descriptor of the way, in the environment of a server that has a parent. */
export const PARENT_FD = 'SPILLWAY_PARENT_FD';

/** The compiled filter, in the job's folder. */
export const PROGRAM_FILE = 'program';

/** A request and an answer are a few hundred characters; the names of 64 interfaces are 1,200. */
export const LINE_MAX = 16_384;

export class RootParent {
  /** Resolves when the parent has ended. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting: ((answer: CaptureAnswer) => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    this.gone = this.#read();
  }

  /** Resolves when the job is captured; rejects with what parent or capture refuse. */
  async start(request: CaptureRequest): Promise<void> {
    if (this.#socket.destroyed) throw new SpillwayError('CAPTURE_FAILED', GONE.sentence);
    const answer = await new Promise<CaptureAnswer>((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(`${JSON.stringify(request)}\n`);
    });
    if (!answer.ok) throw new SpillwayError(Object.hasOwn(ERRORS, answer.code) ? answer.code : 'CAPTURE_FAILED', answer.sentence);
  }

  async #read(): Promise<void> {
    try {
      for await (const line of linesOf(this.#socket, LINE_MAX)) {
        const answer = JSON.parse(line) as CaptureAnswer;
        this.#waiting.shift()?.(answer);
      }
    } catch {
      // A parent that is killed may leave a broken way behind: it is gone either way.
    }
    this.#socket.destroy();
    for (const answer of this.#waiting.splice(0)) answer(GONE);
  }
}

const GONE = { ok: false, code: 'CAPTURE_FAILED', sentence: 'the process that starts captures for the server has ended' } as const;

/** Null where there is none. To be called once: what is found is taken out of the environment. */
export function rootParent(environment: NodeJS.ProcessEnv = process.env): RootParent | null {
  const fd = environment[PARENT_FD];
  delete environment[PARENT_FD];
  return /^\d+$/.test(fd ?? '') ? new RootParent(new Socket({ fd: Number(fd) })) : null;
}

/** What an answer says of an error. */
export function refusing(error: unknown): CaptureAnswer {
  const { code, message } = coded(error);
  return { ok: false, code, sentence: message };
}
