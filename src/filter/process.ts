/** One running compiling executable: requests go in as they come, answers come back in their order. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { SpillwayError } from '../errors.js';
import { compilerEnvironment } from './executable.js';
import { setupFailure } from './failures.js';
import { type Answer, AnswerReader, encodeHello, encodeRequest, type Request } from './frames.js';

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: SpillwayError): void;
}

/** The process ended under requests that were in order; another one may answer them. */
export class CompilerLost extends SpillwayError {
  constructor(how: string) {
    super('INTERNAL', `the filter compiler ended before it answered (${how})`);
  }
}

export class CompilerProcess {
  readonly #child: ChildProcess;
  /** Null where the system had no descriptors left for a pipe: then the child's `error` says so. */
  readonly #stdin: Writable | null;
  readonly #stdout: Readable | null;
  readonly #path: string;
  readonly #version: string;
  readonly #reader = new AnswerReader();
  readonly #waiting: Waiting[] = [];
  #nextId = 1;
  #ready = false;
  /** As libpcap tells it; empty until the first answer. */
  libraryVersion = '';
  /** Why no further request is taken; set once. */
  #over: SpillwayError | undefined;
  readonly #ended: Promise<void>;

  /** Starts `path`, an executable that must be of `version`. Failures to start reject the requests. */
  constructor(path: string, version: string) {
    this.#path = path;
    this.#version = version;
    this.#child = spawn(path, [], { stdio: ['pipe', 'pipe', 'ignore'], env: compilerEnvironment() });
    this.#stdin = this.#child.stdin ?? null;
    this.#stdout = this.#child.stdout ?? null;
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error: NodeJS.ErrnoException) => {
        this.#end(this.#notStarted(error));
        resolve();
      });
      this.#child.once('close', (code, signal) => {
        this.#end(this.#gone(signal ?? `exit code ${code}`));
        resolve();
      });
    });
    this.#stdin?.on('error', () => {}); // a broken pipe shows as the end of the process
    this.#stdout?.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#stdin?.write(encodeHello(version));
    this.#holdLoop(false);
  }

  get usable(): boolean {
    return this.#over === undefined;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  request(request: Request): Promise<Answer> {
    if (this.#over) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ resolve, reject }) === 1) this.#holdLoop(true);
      this.#stdin?.write(encodeRequest(this.#nextId + this.#waiting.length - 1, request));
    });
  }

  /** Lets it answer what it was asked, then ends it; resolves when it is gone. */
  async close(): Promise<void> {
    this.#stdin?.end();
    this.#child.ref();
    await this.#ended;
  }

  #read(chunk: Buffer): void {
    try {
      for (const answer of this.#reader.push(chunk)) this.#take(answer);
    } catch (error) {
      this.#end(new SpillwayError('INTERNAL', `the filter compiler sent ${(error as Error).message}`));
      this.#child.kill('SIGKILL');
    }
  }

  #take(answer: Answer): void {
    if (!this.#ready) {
      this.#ready = answer.status === 'ready';
      if (this.#ready) this.libraryVersion = Buffer.from(answer.payload).toString('latin1');
      else this.#end(setupFailure(answer, this.#path, this.#version));
      return;
    }
    const first = this.#waiting.shift();
    if (!first || answer.id !== this.#nextId) throw new RangeError(`an answer to request ${answer.id}`);
    this.#nextId += 1;
    if (this.#waiting.length === 0) this.#holdLoop(false);
    first.resolve(answer);
  }

  #notStarted(error: NodeJS.ErrnoException): SpillwayError {
    return error.code === 'ENOENT' || error.code === 'EACCES'
      ? new SpillwayError('SETUP_INCOMPLETE', `the filter compiler ${this.#path} can not be started (${error.code}): run npm start`)
      : new SpillwayError('INTERNAL', `the filter compiler does not start: ${error.message}`);
  }

  #gone(how: string): SpillwayError {
    if (this.#ready) return new CompilerLost(how);
    return new SpillwayError('SETUP_INCOMPLETE', `the filter compiler ${this.#path} does not work (${how}): run npm start`);
  }

  #end(why: SpillwayError): void {
    this.#over ??= why;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#over);
    this.#holdLoop(false);
  }

  /** An idle compiler keeps no program alive; it ends by itself when our end of its input closes. */
  #holdLoop(hold: boolean): void {
    const handles = [this.#child, this.#stdin as Socket | null, this.#stdout as Socket | null];
    for (const handle of handles) hold ? handle?.ref() : handle?.unref();
  }
}
