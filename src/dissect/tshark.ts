/** Which tshark there is, and whether it takes a filter. */
import { statSync } from 'node:fs';
import { SpillwayError } from '../errors.js';
import { Child, type Ended } from './child.js';
import { confined, tsharkPath } from './command.js';
import { failureOf } from './failures.js';
import { CHECK_LIMITS, MAX_CHECKS, MAX_KNOWN_FILTERS, MAX_QUOTED } from './limits.js';
import { Room } from './room.js';
import { refuseText } from './text.js';

/** Display filters mean the same, and messages look the same, in all of its versions. */
const KNOWN_MAJOR = 4;

/** What its complaints begin with. */
const WORD = 'tshark: ';

/** A PCAPNG file without a packet: a section header of no known length. */
const EMPTY_CAPTURE = Buffer.from('0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000', 'hex');

export interface Tshark {
  path: string;
  /** As it says: `4.0.17`. */
  version: string;
  /** Filters that it takes. */
  known: Set<string>;
}

/** The one that was asked last, as long as its file is the same. */
let last: { file: string; tshark: Tshark } | null = null;

/** Rejects with DISSECTOR_*. */
export async function theTshark(): Promise<Tshark> {
  const path = tsharkPath();
  const { ino, mtimeMs, size } = statSync(path);
  const file = `${path} ${ino} ${mtimeMs} ${size}`;
  if (last?.file !== file) last = { file, tshark: { path, version: await versionOf(path), known: new Set() } };
  return last.tshark;
}

async function versionOf(path: string): Promise<string> {
  const { output, ended } = await runOnce(path, ['--version']);
  const failure = failureOf({ ...ended, readAll: true }, CHECK_LIMITS);
  if (failure) throw failure;
  const version = /^TShark \(Wireshark\) (\d+(?:\.\d+)+)/.exec(output)?.[1];
  if (version === undefined) throw new SpillwayError('DISSECTOR_VERSION', `${path} does not say that it is a tshark`);
  if (Number.parseInt(version, 10) !== KNOWN_MAJOR)
    throw new SpillwayError('DISSECTOR_VERSION', `tshark is of version ${version}: only ${KNOWN_MAJOR}.x is known to be right`);
  return version;
}

/** Rejects with FILTER_* where tshark does not take the filter, in its words, and with DISSECTOR_* where it can't be asked. */
export async function checkDissected(text: string): Promise<void> {
  refuseText(text);
  if (!(await isKnown(text))) await checks.within(() => look(text));
}

const checks = new Room(MAX_CHECKS);

async function isKnown(text: string): Promise<boolean> {
  return last?.tshark.known.has(text) === true && (await theTshark()).known.has(text);
}

async function look(text: string): Promise<void> {
  // Another one may have asked meanwhile.
  if (await isKnown(text)) return;
  const path = tsharkPath();
  // Both at once: each takes a third of a second, nearly all of it to start.
  const [{ known }, { ended }] = await Promise.all([theTshark(), runOnce(path, dissecting(text))]);
  if (ended.code !== null && ended.code > 0 && ended.complaint.includes(WORD)) throw invalid(text, ended.complaint);
  const failure = failureOf(ended, CHECK_LIMITS);
  if (failure)
    throw failure.code === 'DISSECTOR_LIMIT' ? new SpillwayError('FILTER_TOO_COMPLEX', `the display filter is refused: ${failure.message}`) : failure;
  if (known.size >= MAX_KNOWN_FILTERS) known.clear();
  known.add(text);
}

/** Arguments by which tshark answers the numbers of the packets that come by its standard input and are accepted. */
export function dissecting(text: string): string[] {
  // One argument, so that no text is ever an option. (As a column, the number costs nothing; as a field, it makes tshark format all others, too.)
  return ['-r', '-', '-n', `-Y${text}`, '-T', 'text', '-o', 'gui.column.format:"No.","%m"'];
}

async function runOnce(path: string, args: readonly string[]): Promise<{ output: string; ended: Ended }> {
  let output = '';
  const child = new Child(confined(path, args, CHECK_LIMITS), CHECK_LIMITS.silenceMs, (chunk) => {
    if (output.length < MAX_QUOTED) output += chunk.toString('latin1');
  });
  await child.write(EMPTY_CAPTURE);
  child.end();
  const ended = await child.ended;
  return { output, ended };
}

/** Its sentence, and the column that it points to where the filter is of one line. */
function invalid(text: string, complaint: string): SpillwayError {
  const lines = complaint.split('\n');
  const at = lines.findIndex((line) => line.startsWith(WORD));
  const sentence = lines[at]!.slice(WORD.length, 1000);
  const pointer = text.includes('\n') ? null : /^ {4}( *)\^/.exec(lines[at + 2] ?? '');
  const column = pointer ? String(pointer[1]!.length + 1) : null;
  const where = column === null ? '' : ` (column ${column})`;
  return new SpillwayError('FILTER_INVALID', `the display filter is refused: ${sentence}${where}`, column === null ? {} : { column });
}
