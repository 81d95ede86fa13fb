/** Captured traffic as a source on the command line, and how following it ends. */
import type { CapturedName, CapturedSources } from '../capture/captured-sources.js';
import type { FileSource, Source, TimeWindow } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import { dataFolder } from './data-flag.js';
import type { ExportArguments } from './export-arguments.js';
import type { Parsed } from './flags.js';
import type { Io } from './io.js';

export class Captured {
  /** The windows of what was opened, where they are narrower than what was asked for. */
  windows: readonly TimeWindow[] | null = null;
  /** As `windows`, of what tshark sees. */
  seen: TimeWindow | null = null;
  /** Those that come with what was opened. */
  filters: readonly string[] = [];
  readonly #opened: CapturedSources[] = [];
  readonly #isFollowed: boolean;

  constructor(
    private readonly parsed: Parsed,
    { isFollowed }: ExportArguments,
    named: readonly (FileSource | CapturedName)[],
    private readonly io: Io,
  ) {
    const captured = named.filter((each): each is CapturedName => 'kind' in each);
    if (isFollowed && !captured.some(({ kind }) => kind !== 'clips'))
      throw new SpillwayError('REQUEST_INVALID', '--follow: files and clips do not go on; it is for jobs/, interfaces/ and vifgs/');
    if (named.length > 1 && captured.some(({ kind }) => kind === 'clips'))
      throw new SpillwayError('REQUEST_INVALID', 'a clip can not be exported together with other sources');
    // Of an interface there is nothing but what comes.
    this.#isFollowed = isFollowed || captured.some(({ kind }) => kind === 'interfaces' || kind === 'vifgs');
  }

  /** `seen`: where tshark answers a filter. */
  async open(name: CapturedName, windows: readonly TimeWindow[], seen: TimeWindow | null): Promise<Source[]> {
    const { openCaptured } = await import('../capture/captured-sources.js');
    const { Jobs } = await import('../buffer/jobs.js');
    const { startCapture } = await import('../capture/start.js');
    const { Clips } = await import('../buffer/clips.js');
    const { CaptureSettings } = await import('../capture/settings.js');
    const { Vifgs } = await import('../capture/vifgs.js');
    const data = dataFolder(this.parsed, this.io);
    const jobs = new Jobs(data);
    const rooms = { jobs, clips: new Clips(jobs), vifgs: new Vifgs(new CaptureSettings(data)), startCapture };
    const opened = await openCaptured(name, { windows, ...(seen && { seen }), isFollowed: this.#isFollowed }, rooms);
    this.#opened.push(opened);
    // A clip is a source alone.
    if (name.kind === 'clips') this.windows = opened.windows;
    if (name.kind === 'clips') this.seen = opened.seen ?? null;
    if (name.kind === 'clips') this.filters = opened.filters;
    return opened.lanes.map((lane) => ({ lane, name: lane.name }));
  }

  /** What is followed has no end but the one that is asked for: the first Ctrl-C ends it as it should, and the output is whole. */
  interruptedBy(asked: AbortSignal): AbortSignal {
    if (!this.#isFollowed) return asked;
    const interrupted = new AbortController();
    const onAsked = (): void => {
      if (this.#opened.length === 0) interrupted.abort(asked.reason);
      else for (const each of this.#opened) each.endNow();
    };
    if (asked.aborted) onAsked();
    else asked.addEventListener('abort', onAsked);
    return interrupted.signal;
  }

  async close(): Promise<void> {
    for (const each of this.#opened) await each.close();
  }
}
