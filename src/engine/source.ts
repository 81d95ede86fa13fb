/** Opens a source and looks at its beginning: what it is, where its first packet lies, what it holds the packets of. */
import { close, fstatSync, open, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { SpillwayError } from '../errors.js';
import { lockShared, REPORT, Scan, Selection, STATUS, type SourceInfo } from '../native.js';
import { readBytes, StreamDamage } from './bytes.js';
import { DETECT_BYTES, detectCompression, type Compression } from './detect.js';
import type { FileIndex } from './indexes.js';
import { STEP_BYTES } from './limits.js';
import type { SegmentSource, Source } from './types.js';

/** What the first packet and what stands before it tell. */
export interface Beginning {
  /** The reader's state at the first packet; null where it could not be read beforehand. */
  state: Uint8Array;
  /** Where the first packet begins; the end, where there is none. */
  offset: number;
  /** Interfaces described in sections before that of the first packet. */
  sectionBase: number;
  info: SourceInfo;
  /** Link type of the first packet, or of the first interface where there is no packet; null without any. */
  linkType: number | null;
  firstTimeNs: bigint | null;
  sectionOptions: Uint8Array;
}

export interface OpenSource {
  name: string;
  /** Its place among the sources as they were named: of packets of the same time, those of the one named first go first. */
  rank: number;
  fd: number;
  /** Bytes as stored; 0 where it is not known. */
  sizeBytes: number;
  /** `file`: read in ranges, by several workers at once. `stream`: read from front to end. */
  kind: 'file' | 'stream';
  compression: Compression | 'detect' | null;
  pipe: boolean;
  /** Of a segment: its interface. Segments with one lane that stand one behind another go on with the same interfaces. */
  lane: string | null;
  /** Of a file, where it has one. */
  index: FileIndex | null;
  /** null for a stream that can be read only once. */
  beginning: Beginning | null;
  /** From now on someone else closes the descriptor. */
  handOver(): void;
  /** Closes the descriptor where it is this source's own. */
  close(): Promise<void>;
}

const openFd = promisify(open);
const closeFd = promisify(close);

const COUNT_ONE = { format: 'none', snapLengthBytes: 0, windowsNs: new BigInt64Array(0), filters: null } as const;

export async function openSource(source: Source): Promise<OpenSource> {
  if ('fd' in source) return describe(source.name, source.fd, false);
  if ('segment' in source) return openSegment(source);
  let fd: number;
  try {
    fd = await openFd(source.path, 'r');
  } catch (error) {
    throw openFailure(source.name, error as NodeJS.ErrnoException);
  }
  try {
    return await describe(source.name, fd, true);
  } catch (error) {
    await closeFd(fd);
    throw error;
  }
}

/** A segment stays as long as someone reads it: whoever captures lets go only of what nobody holds. */
async function openSegment({ name, segment }: SegmentSource): Promise<OpenSource> {
  const fd = await openFirst(segment.paths);
  const gone = new SpillwayError('SOURCE_OVERWRITTEN', `${name}: the buffer has let go of it`);
  if (fd === null) throw gone;
  try {
    if (!lockShared(fd) || fstatSync(fd).nlink === 0) throw gone;
    const opened = await describe(name, fd, true, segment.visibleBytes ?? undefined);
    opened.lane = segment.lane;
    const index = await openFirst([segment.indexPath]);
    if (index !== null) opened.index = { fd: index, id: segment.id, close: () => closeFd(index) };
    return opened;
  } catch (error) {
    await closeFd(fd);
    throw error;
  }
}

/** The first that is there; null where none is. */
async function openFirst(paths: readonly string[]): Promise<number | null> {
  for (const path of paths) {
    try {
      return await openFd(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw openFailure(path, error as NodeJS.ErrnoException);
    }
  }
  return null;
}

function openFailure(name: string, error: NodeJS.ErrnoException): SpillwayError {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return new SpillwayError('SOURCE_NOT_FOUND', `${name}: no such file`);
  if (error.code === 'EISDIR') return new SpillwayError('SOURCE_NOT_A_CAPTURE', `${name}: is a folder`);
  return new SpillwayError('SOURCE_UNREADABLE', `${name}: can not be opened (${error.code ?? error.message})`);
}

async function describe(name: string, fd: number, owned: boolean, visibleBytes = Infinity): Promise<OpenSource> {
  let own = owned;
  const stat = fstatSync(fd);
  if (stat.isDirectory()) throw new SpillwayError('SOURCE_NOT_A_CAPTURE', `${name}: is a folder`);
  const opened: OpenSource = {
    name,
    rank: 0,
    fd,
    sizeBytes: stat.isFile() ? Math.min(stat.size, visibleBytes) : 0,
    kind: 'stream',
    compression: 'detect',
    pipe: stat.isFIFO() || stat.isSocket(),
    lane: null,
    index: null,
    beginning: null,
    handOver: () => (own = false),
    async close() {
      await opened.index?.close();
      opened.index = null;
      if (!own) return;
      own = false;
      await closeFd(fd);
    },
  };
  if (!stat.isFile()) return opened;
  const head = Buffer.alloc(DETECT_BYTES);
  try {
    opened.compression = detectCompression(head.subarray(0, readSync(fd, head, 0, DETECT_BYTES, 0)));
  } catch (error) {
    throw new SpillwayError('SOURCE_UNREADABLE', `${name}: can not be read (${(error as NodeJS.ErrnoException).code ?? ''})`);
  }
  if (opened.compression === null) opened.kind = 'file';
  opened.beginning = await readBeginning(opened);
  return opened;
}

/** Scans up to the first packet. */
async function readBeginning(source: OpenSource): Promise<Beginning> {
  const scan = new Scan(new Selection(COUNT_ONE));
  const out = new Uint8Array(1);
  let status: number;
  let reason = '';
  if (source.kind === 'file') {
    scan.openRange(source.fd, 0, source.sizeBytes, null, false, 0);
    scan.limit(1n, null, null, null);
    do {
      status = scan.step(out, 0, STEP_BYTES);
      await new Promise(setImmediate);
    } while (status === STATUS.budget);
  } else {
    scan.openStream(0);
    scan.limit(1n, null, null, null);
    ({ status, reason } = await feedUntilOver(scan, source));
  }
  return beginningOf(scan, status, reason, source);
}

async function feedUntilOver(scan: Scan, source: OpenSource): Promise<{ status: number; reason: string }> {
  const out = new Uint8Array(1);
  const run = (): number => {
    let status: number;
    do status = scan.step(out, 0, STEP_BYTES);
    while (status === STATUS.budget);
    return status;
  };
  try {
    for await (const bytes of readBytes({ fd: source.fd, compression: source.compression, pipe: false }, new AbortController().signal, () => {})) {
      scan.feed(bytes, false);
      const status = run();
      if (status !== STATUS.needInput) return { status, reason: '' };
    }
  } catch (error) {
    if (!(error instanceof StreamDamage)) throw error;
    return { status: STATUS.damage, reason: error.message };
  }
  scan.feed(new Uint8Array(0), true);
  return { status: run(), reason: '' };
}

function beginningOf(scan: Scan, status: number, reason: string, source: OpenSource): Beginning {
  if (status === STATUS.ioError) throw new SpillwayError('SOURCE_UNREADABLE', `${source.name}: reading failed (errno ${scan.report[REPORT.detail]})`);
  const info = scan.info();
  if (status === STATUS.damage && info.sections === 0) throw notACapture(source.name, reason || scan.damageText());
  const seen = scan.report[REPORT.packetsRead]! > 0n;
  const withPacket = info.interfaces.find((i) => i.packets > 0) ?? info.interfaces[0];
  const hasTime = scan.report[REPORT.minTime]! <= scan.report[REPORT.maxTime]!;
  return {
    state: scan.state(),
    offset: firstOffset(source),
    sectionBase: Number(scan.report[REPORT.sectionBase]),
    info,
    linkType: withPacket?.linkType ?? null,
    firstTimeNs: seen && hasTime ? scan.report[REPORT.firstTime]! : null,
    sectionOptions: scan.sectionOptions(),
  };
}

/** Only of a file: nothing goes on in the middle of a stream. */
function firstOffset({ kind, fd, sizeBytes }: OpenSource): number {
  if (kind !== 'file') return 0;
  const scan = new Scan(new Selection(COUNT_ONE));
  scan.openRange(fd, 0, sizeBytes, null, false, 0);
  scan.limit(0n, null, null, null);
  while (scan.step(new Uint8Array(1), 0, STEP_BYTES) === STATUS.budget);
  return Number(scan.report[REPORT.end]);
}

export function notACapture(name: string, why: string): SpillwayError {
  return new SpillwayError('SOURCE_NOT_A_CAPTURE', `${name}: ${why}`);
}
