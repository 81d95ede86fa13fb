/** What is told of an update that a probe makes of itself, in the words of update jobs. */
import { SpillwayError } from '../errors.js';
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

export const updatesOff = (): SpillwayError =>
  new SpillwayError('UPDATES_OFF', 'this probe was not started so that it can be updated: start it with --updates');

type HalfWord = 'DOWNLOAD' | 'INSTALL';

/** One half as it goes on: the download, or the installation. */
export class Half<Word extends HalfWord> {
  #status: HalfStep<Word>;
  readonly #began = performance.now();
  #first: number | null = null;

  constructor(
    private readonly word: Word,
    totalBytes: number,
  ) {
    this.#status = { ...IDLE, status: `${word}_IN_PROGRESS`, total_bytes: totalBytes, start_time: seconds(Date.now()) };
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
    return (this.#status = succeeded(this.word, this.#status, Date.now()));
  }
}

/** An update whose release was switched to: nothing of it is at work any more, whatever its run came to tell. */
export function switched(status: InstallStatus): InstallStatus {
  const { download_status: download, install_status: install } = status;
  const now = Date.now();
  return { ...status, download_status: succeeded('DOWNLOAD', download, now), install_status: succeeded('INSTALL', install, now) };
}

/** An update that has failed; `why` is a sentence, which the half that was at work has, too. */
export function failed(status: InstallStatus, error: OwnError, why: string, nowMs = Date.now()): InstallStatus {
  const { download_status: download, install_status: install } = status;
  return {
    ...{ update_progress_status: 'FAILED', error, detail: why },
    download_status: failedHalf('DOWNLOAD', download, why, nowMs),
    install_status: failedHalf('INSTALL', install, why, nowMs),
  };
}

const LOST_IN: Partial<Record<InstallProgress, OwnError>> = {
  DOWNLOAD_IN_PROGRESS: 'DOWNLOAD_FAILED',
  REBOOT_IN_PROGRESS: 'IMAGE_ACTIVATION_FAILED',
};

/** An update that has ended, and whose run may not have told so itself: it has failed then, in the step that it told last. */
export function ended(status: InstallStatus, why: string, nowMs: number): InstallStatus {
  const { update_progress_status: last } = status;
  return last === 'SUCCESS' || last === 'FAILED' ? status : failed(status, LOST_IN[last] ?? 'IMAGE_INSTALL_FAILED', why, nowMs);
}

const isAtWork = <Word extends HalfWord>(word: Word, { status }: HalfStep<Word>): boolean => status === `${word}_IN_PROGRESS`;

function succeeded<Word extends HalfWord>(word: Word, half: HalfStep<Word>, nowMs: number): HalfStep<Word> {
  if (!isAtWork(word, half)) return half;
  return { ...half, status: `${word}_SUCCESS`, progress: 100, bytes: half.total_bytes, end_time: seconds(nowMs), detail: '' };
}

function failedHalf<Word extends HalfWord>(word: Word, half: HalfStep<Word>, detail: string, nowMs: number): HalfStep<Word> {
  return isAtWork(word, half) ? { ...half, status: `${word}_FAILED`, end_time: seconds(nowMs), detail } : half;
}

const seconds = (ms: number): number => Math.floor(ms / 1000);
