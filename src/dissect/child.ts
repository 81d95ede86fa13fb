/** A running tshark: bytes go in by a pipe, its output comes as it is written, and all of it ends when it is told to. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, readFileSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { SpillwayError } from '../errors.js';
import { openPipe } from '../native.js';
import { ENVIRONMENT, type Command } from './command.js';
import { MAX_COMPLAINT_BYTES, PIECE_BYTES } from './limits.js';

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it wrote to stderr, or its beginning. */
  complaint: string;
  /** It took nothing and gave nothing for too long, and was killed. */
  wasSilent: boolean;
  /** It read all that it was given. */
  readAll: boolean;
}

export class Child {
  /** Settles when nothing of it runs any more; never rejects but where it could not be started. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #input: Socket;
  readonly #silenceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #wasSilent = false;
  #complaint = '';

  /** `onOutput` and `onComplaint` are given what it writes to stdout and stderr. */
  constructor({ path, args }: Command, silenceMs: number, onOutput: (chunk: Buffer) => void, onComplaint: (said: string) => void = () => undefined) {
    // A pipe of the system: tshark takes its packets from no socket, which is what Node would make.
    const ends = openPipe();
    if (!ends) throw new SpillwayError('DISSECTOR_FAILED', 'tshark can not be started: the system has no pipe left');
    const [readEnd, writeEnd] = ends;
    this.#silenceMs = silenceMs;
    this.#input = new Socket({ fd: writeEnd, readable: false, writable: true });
    // Told by its end.
    this.#input.on('error', () => undefined);
    try {
      // A group of its own: whatever it starts is killed with it.
      this.#child = spawn(path, args, { stdio: [readEnd, 'pipe', 'pipe'], env: ENVIRONMENT, cwd: '/', detached: true });
    } catch (error) {
      this.#input.destroy();
      closeSync(readEnd);
      throw notStarted(error);
    }
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#watch(this.#timer !== undefined);
      onOutput(chunk);
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      const said = chunk.toString('utf8');
      if (this.#complaint.length < MAX_COMPLAINT_BYTES) this.#complaint += said.slice(0, MAX_COMPLAINT_BYTES);
      onComplaint(said);
    });
    this.ended = this.#waitFor(readEnd);
    this.ended.catch(() => undefined);
  }

  /** It runs no more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when it has taken the bytes, or has ended. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#isOver; at += PIECE_BYTES) {
      this.#watch(true);
      await this.#take(bytes.subarray(at, at + PIECE_BYTES));
    }
    this.#watch(false);
  }

  /** Nothing follows; it is to come to its end. */
  end(): void {
    this.#watch(true);
    this.#input.end();
  }

  kill(): void {
    const { pid } = this.#child;
    if (this.#isOver || pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }

  #take(piece: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#input.once('close', resolve);
      this.#input.write(piece, () => {
        this.#input.off('close', resolve);
        resolve();
      });
    });
  }

  /** Begins the time anew in which something has to happen, or stops it. */
  #watch(isWaiting: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (isWaiting && !this.#isOver) this.#look(null, null);
  }

  /**
   * It has to happen in so much time of its own: who waits for a processor does not do nothing. `first`, `last`: the processor time it
   * had taken by the first look, and by the last.
   */
  #look(first: number | null, last: number | null): void {
    this.#timer = setTimeout(() => {
      const now = cpuMs(this.#child.pid);
      if (last === null || (now > last && now - first! < this.#silenceMs)) return this.#look(first ?? now, now);
      this.#wasSilent = true;
      this.kill();
    }, this.#silenceMs / 2);
  }

  #waitFor(readEnd: number): Promise<Ended> {
    const child = this.#child;
    const inputClosed = new Promise<void>((resolve) => this.#input.once('close', resolve));
    const over = (): void => {
      this.#isOver = true;
      this.#watch(false);
      this.#input.destroy();
    };
    return new Promise((resolve, reject) => {
      const closed = (code: number | null, signal: NodeJS.Signals | null): void => {
        const told = { code, signal, complaint: this.#complaint, wasSilent: this.#wasSilent };
        void inputClosed.then(() => resolve({ ...told, readAll: !leftIn(readEnd) }));
      };
      child.once('close', closed);
      child.once('error', (error) => {
        if (child.pid !== undefined) return;
        // It comes all the same, when the descriptor may be somebody else's.
        child.off('close', closed);
        over();
        closeSync(readEnd);
        reject(notStarted(error));
      });
      child.once('exit', () => {
        // Whatever it has started, and would hold its output open.
        this.kill();
        over();
      });
    });
  }
}

function notStarted(error: unknown): SpillwayError {
  return new SpillwayError('DISSECTOR_FAILED', `tshark can not be started: ${(error as Error).message}`);
}

/** What the kernel counts processor time in, on every Linux that Node runs on. */
const TICK_MS = 10;

/** Processor time of a process so far; 0 where it can't be told. */
function cpuMs(pid: number | undefined): number {
  try {
    // The second field is a name, which may hold anything but ends with the last parenthesis.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ');
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}

/** Whether something was left in a pipe to which nobody writes any more; closes it. */
function leftIn(readEnd: number): boolean {
  try {
    return readSync(readEnd, Buffer.alloc(1)) > 0;
  } catch {
    return true;
  } finally {
    closeSync(readEnd);
  }
}
