/** What is told of an update that a probe makes of itself, in the words of update jobs. */
import { NO_STEP, type InstallProgress, type InstallWish, type OwnError, type Step } from '../peer/install.js';

/** `…_FAILED` and `…_SUCCESS` are told of the half alone. */
type HalfStep<Word extends string> = Step<`${Word}_IN_PROGRESS` | `${Word}_FAILED` | `${Word}_SUCCESS` | 'IDLE'>;

export interface InstallStatus {
  update_progress_status: InstallProgress;
  error: OwnError;
  /** A sentence. */
  detail: string;
  download_status: HalfStep<'DOWNLOAD'>;
  install_status: HalfStep<'INSTALL'>;
}

/** What is asked for. */
export interface InstallInput extends InstallWish {
  /** Also a version before the one that runs. */
  allowOlder: boolean;
}

const IDLE = { status: 'IDLE', ...NO_STEP } as const;

export const RECEIVED: InstallStatus = {
  update_progress_status: 'INSTALL_REQUEST_RECEIVED',
  error: 'NOT_SET',
  detail: '',
  download_status: IDLE,
  install_status: IDLE,
};

/** One half as it goes on: the download, or the installation. */
export class Half<Word extends 'DOWNLOAD' | 'INSTALL'> {
  #status: HalfStep<Word>;
  readonly #began = performance.now();
  #first: number | null = null;

  constructor(
    private readonly word: Word,
    totalBytes: number,
  ) {
    this.#status = { ...IDLE, status: `${word}_IN_PROGRESS`, total_bytes: totalBytes, start_time: seconds() };
  }

  get status(): HalfStep<Word> {
    return this.#status;
  }

  /** `bytes` are done; those of the first call were there before. */
  at(bytes: number, detail = ''): HalfStep<Word> {
    this.#first ??= bytes;
    const total = this.#status.total_bytes;
    const rate = Math.round((1000 * (bytes - this.#first)) / Math.max(1, performance.now() - this.#began));
    const progress = total === 0 ? 0 : Math.min(99, Math.floor((100 * bytes) / total));
    return (this.#status = { ...this.#status, bytes, rate: Math.max(0, rate), progress, detail });
  }

  succeeded(): HalfStep<Word> {
    const { total_bytes } = this.#status;
    return (this.#status = { ...this.#status, status: `${this.word}_SUCCESS`, progress: 100, bytes: total_bytes, end_time: seconds(), detail: '' });
  }

  failed(detail: string): HalfStep<Word> {
    return (this.#status = { ...this.#status, status: `${this.word}_FAILED`, end_time: seconds(), detail });
  }
}

const seconds = (): number => Math.floor(Date.now() / 1000);
