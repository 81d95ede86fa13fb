/** BPF texts to classic-BPF programs, by libpcap in a process of its own. */
import { SpillwayError } from '../errors.js';
import { FilterCache } from './cache.js';
import { packageVersion } from '../root.js';
import { compilerPath } from './executable.js';
import { failureOf, refuseBeforehand } from './failures.js';
import type { Answer, Request } from './frames.js';
import { DEFAULT_SNAP_LENGTH_BYTES, IDLE_CLOSE_MS, MAX_CACHED_FILTER_BYTES, MAX_CACHED_FILTERS } from './limits.js';
import { CompilerLost, CompilerProcess } from './process.js';

export interface CompileOptions {
  /** Let libpcap optimise (default). Without it, long or-ed lists compile faster into longer programs. */
  optimise?: boolean;
  /** What the program returns for a packet it accepts. */
  snapLengthBytes?: number;
}

export interface CompiledFilter {
  /** 8 bytes an instruction, little-endian `u16 code, u8 jt, u8 jf, u32 k`; the caller's own. Not yet verified. */
  code: Uint8Array;
  /** Libpcap finds that no packet can match: worth a warning, and no error. */
  rejectsAll: boolean;
  instructions: number;
}

export interface CompilerSettings {
  /** The executable; default: the one beside the native addon. */
  path?: string;
  /** The version that the executable must have. */
  version?: string;
  /** Ends the process when it had nothing to do for this long; default: it lives until `close`. */
  idleCloseMs?: number;
}

/**
 * Keeps one compiling process and sends it filter after filter without waiting for answers. The process starts with
 * the first filter, again when it is lost, and does not keep the program alive while it has nothing to do.
 */
export class FilterCompiler {
  readonly #settings: CompilerSettings;
  readonly #cache = new FilterCache<Promise<CompiledFilter>>(MAX_CACHED_FILTERS);
  #process: CompilerProcess | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(settings: CompilerSettings = {}) {
    this.#settings = settings;
  }

  /** Process id of the running executable, if one runs. */
  get pid(): number | undefined {
    return this.#process?.usable ? this.#process.pid : undefined;
  }

  /** `linkType` is that of capture files (LINKTYPE_). Rejects with FILTER_* or SETUP_INCOMPLETE. */
  async compile(text: string, linkType: number, options: CompileOptions = {}): Promise<CompiledFilter> {
    const { optimise = true, snapLengthBytes = DEFAULT_SNAP_LENGTH_BYTES } = options;
    const request = { text, linkType, optimise, snapLengthBytes };
    const refused = refuseBeforehand(request);
    if (refused) throw refused;
    const compiled = await this.#cached(request);
    return { ...compiled, code: compiled.code.slice() };
  }

  /** What libpcap says of itself: `libpcap version 1.10.3 (with TPACKET_V3)`. */
  async libraryVersion(): Promise<string> {
    await this.#ask({ text: '', linkType: 1, optimise: true, snapLengthBytes: DEFAULT_SNAP_LENGTH_BYTES });
    return this.#process?.libraryVersion ?? '';
  }

  /** Lets the process finish what it was asked; nothing can be compiled afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    await this.#process?.close();
  }

  #cached(request: Request): Promise<CompiledFilter> {
    if (request.text.length > MAX_CACHED_FILTER_BYTES) return this.#run(request);
    const key = `${request.linkType} ${request.snapLengthBytes} ${request.optimise} ${request.text}`;
    const known = this.#cache.get(key);
    if (known) return known;
    const result = this.#run(request);
    this.#cache.set(key, result);
    // Only what would fail again in the same way is kept; how complex is too complex depends on the moment.
    result.catch((error: unknown) => {
      const lasting = error instanceof SpillwayError && ['FILTER_INVALID', 'FILTER_LINK_TYPE'].includes(error.code);
      if (!lasting) this.#cache.drop(key, result);
    });
    return result;
  }

  async #run(request: Request): Promise<CompiledFilter> {
    const answer = await this.#ask(request);
    if (answer.status !== 'program') throw failureOf(answer, request);
    return { code: answer.payload, rejectsAll: answer.rejectsAll, instructions: answer.payload.length / 8 };
  }

  /** Compiling has no effects: a request whose process was lost is asked once more of a new one. */
  async #ask(request: Request): Promise<Answer> {
    try {
      return await this.#askOnce(request);
    } catch (error) {
      if (error instanceof CompilerLost) return this.#askOnce(request);
      throw error;
    }
  }

  async #askOnce(request: Request): Promise<Answer> {
    if (this.#closed) throw new SpillwayError('INTERNAL', 'the filter compiler is closed');
    if (!this.#process?.usable) {
      this.#process = new CompilerProcess(this.#settings.path ?? compilerPath(), this.#settings.version ?? packageVersion());
    }
    this.#restartIdleTimer();
    return this.#process.request(request);
  }

  #restartIdleTimer(): void {
    if (this.#settings.idleCloseMs === undefined) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      const idle = this.#process;
      this.#process = undefined;
      void idle?.close();
    }, this.#settings.idleCloseMs);
    this.#idleTimer.unref();
  }
}

let shared: FilterCompiler | undefined;

/** Compiles one filter with a compiler that the whole program shares; see `FilterCompiler.compile`. */
export function compileFilter(text: string, linkType: number, options?: CompileOptions): Promise<CompiledFilter> {
  return sharedCompiler().compile(text, linkType, options);
}

/** What libpcap says of itself; rejects where the compiler can't be started. */
export function libpcapVersion(): Promise<string> {
  return sharedCompiler().libraryVersion();
}

function sharedCompiler(): FilterCompiler {
  return (shared ??= new FilterCompiler({ idleCloseMs: IDLE_CLOSE_MS }));
}
