/** Opens a source and looks at its beginning: what it is, where its first packet lies, what it holds the packets of. */
import { close, fstatSync, open, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { SpillwayError } from '../errors.js';
import { REPORT, Scan, Selection, STATUS } from '../native.js';
import { readBytes, StreamDamage } from './bytes.js';
import { DETECT_BYTES, detectCompression } from './detect.js';
import { STEP_BYTES } from './limits.js';
import type { Beginning, OpenSource } from './open-source.js';
import type { FileSource } from './types.js';
import { Unchanged } from './unchanged.js';

const openFd = promisify(open);
const closeFd = promisify(close);

const COUNT_ONE = { format: 'none', snapLengthBytes: 0, windowsNs: new BigInt64Array(0), filters: null } as const;

/** Of files: how they are packed, and how they begin. */
const known = new Unchanged<Pick<OpenSource, 'compression' | 'beginning'>>(1000);

export async function openSource(source: FileSource): Promise<OpenSource> {
  if ('fd' in source) return describe(source.name, source.fd, false);
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

function openFailure(name: string, error: NodeJS.ErrnoException): SpillwayError {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return new SpillwayError('SOURCE_NOT_FOUND', `${name}: no such file`);
  if (error.code === 'EISDIR') return new SpillwayError('SOURCE_NOT_A_CAPTURE', `${name}: is a folder`);
  return new SpillwayError('SOURCE_UNREADABLE', `${name}: can not be opened (${error.code ?? error.message})`);
}

async function describe(name: string, fd: number, owned: boolean): Promise<OpenSource> {
  let own = owned;
  const stat = fstatSync(fd, { bigint: true });
  if (stat.isDirectory()) throw new SpillwayError('SOURCE_NOT_A_CAPTURE', `${name}: is a folder`);
  const opened: OpenSource = {
    name,
    fd,
    sizeBytes: stat.isFile() ? Number(stat.size) : 0,
    kind: 'stream',
    compression: 'detect',
    pipe: stat.isFIFO() || stat.isSocket(),
    index: null,
    isChecked: false,
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
  const before = known.get(stat);
  if (before) return Object.assign(opened, before, before.compression === null && { kind: 'file' });
  const head = Buffer.alloc(DETECT_BYTES);
  try {
    opened.compression = detectCompression(head.subarray(0, readSync(fd, head, 0, DETECT_BYTES, 0)));
  } catch (error) {
    throw new SpillwayError('SOURCE_UNREADABLE', `${name}: can not be read (${(error as NodeJS.ErrnoException).code ?? ''})`);
  }
  if (opened.compression === null) opened.kind = 'file';
  opened.beginning = opened.kind === 'file' ? await beginningOfFile(name, fd, opened.sizeBytes, null) : await beginningOfStream(opened);
  known.put(stat, { compression: opened.compression, beginning: opened.beginning });
  return opened;
}

/** Scans the first `sizeBytes` of a file up to the first packet. `from`: a place that is known, where what stands before it can't be read. */
export async function beginningOfFile(
  name: string,
  fd: number,
  sizeBytes: number,
  from: { offset: number; state: Uint8Array } | null,
): Promise<Beginning> {
  const scan = new Scan(new Selection(COUNT_ONE));
  const out = new Uint8Array(1);
  const open = (): void => scan.openRange(fd, from?.offset ?? 0, sizeBytes, from?.state ?? null, false, 0);
  open();
  scan.limit(1n, null, null, null);
  let status = scan.step(out, 0, STEP_BYTES);
  for (; status === STATUS.budget; status = scan.step(out, 0, STEP_BYTES)) await new Promise(setImmediate);
  const told = beginningOf(scan, status, '', name);
  // Up to the first packet, and not behind it.
  open();
  scan.limit(0n, null, null, null);
  while (scan.step(out, 0, STEP_BYTES) === STATUS.budget);
  return { ...told, offset: Number(scan.report[REPORT.end]) };
}

async function beginningOfStream(source: OpenSource): Promise<Beginning> {
  const scan = new Scan(new Selection(COUNT_ONE));
  scan.openStream(0);
  scan.limit(1n, null, null, null);
  const { status, reason } = await feedUntilOver(scan, source);
  return beginningOf(scan, status, reason, source.name);
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

/** Nothing goes on in the middle of a stream: its offset is 0. */
function beginningOf(scan: Scan, status: number, reason: string, name: string): Beginning {
  if (status === STATUS.ioError) throw new SpillwayError('SOURCE_UNREADABLE', `${name}: reading failed (errno ${scan.report[REPORT.detail]})`);
  const info = scan.info();
  if (status === STATUS.damage && info.sections === 0) throw notACapture(name, reason || scan.damageText());
  const seen = scan.report[REPORT.packetsRead]! > 0n;
  const withPacket = info.interfaces.find((i) => i.packets > 0) ?? info.interfaces[0];
  const hasTime = scan.report[REPORT.minTime]! <= scan.report[REPORT.maxTime]!;
  return {
    state: scan.state(),
    offset: 0,
    sectionBase: Number(scan.report[REPORT.sectionBase]),
    info,
    linkType: withPacket?.linkType ?? null,
    firstTimeNs: seen && hasTime ? scan.report[REPORT.firstTime]! : null,
    sectionOptions: scan.sectionOptions(),
  };
}

export function notACapture(name: string, why: string): SpillwayError {
  return new SpillwayError('SOURCE_NOT_A_CAPTURE', `${name}: ${why}`);
}
