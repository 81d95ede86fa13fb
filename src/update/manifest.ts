/** What a package says of itself: its first file, `manifest.json`, which names all others by their hashes. */
import { createHash } from 'node:crypto';
import { valid, validRange } from 'semver';
import { SpillwayError } from '../errors.js';
import { UPDATE_LIMITS } from './limits.js';

export const MANIFEST_FORMAT = 'spillway-update-package/1';

/** In the archive. */
export const MANIFEST_NAME = 'manifest.json';
export const SIGNATURE_NAME = 'manifest.sig';
/** In front of the path of every file of the release. */
export const FILES_PREFIX = 'release/';

export interface ReleaseFile {
  /** Below the release's folder, with `/`. */
  path: string;
  bytes: number;
  sha256: string;
  executable: boolean;
}

export interface ReleaseManifest {
  format: typeof MANIFEST_FORMAT;
  /** 24 hex digits that follow from the rest: the same release has the same. */
  id: string;
  name: string;
  version: string;
  /** As Node says it: `linux`, `x64`. */
  platform: string;
  architecture: string;
  /** A range as in package.json's `engines.node`. */
  node: string;
  createdMs: number;
  files: ReleaseFile[];
}

const invalid = (why: string): SpillwayError => new SpillwayError('PACKAGE_INVALID', `the manifest of the package ${why}`);

/** Of everything but the time. */
export function idOf({ name, version, platform, architecture, node, files }: Omit<ReleaseManifest, 'id' | 'format' | 'createdMs'>): string {
  const hash = createHash('sha256').update(JSON.stringify([MANIFEST_FORMAT, name, version, platform, architecture, node]));
  for (const { path, bytes, sha256, executable } of files) hash.update(JSON.stringify([path, bytes, sha256, executable]));
  return hash.digest('hex').slice(0, 24);
}

/** One in the one form that it has: no `v` in front, and no build number, which does not count when two are compared. */
export const isVersion = (text: string): boolean => text.length <= 64 && valid(text) === text;

const WORD = /^[a-z0-9_]{1,32}$/;
const SHA256 = /^[0-9a-f]{64}$/;
/** What a Date can hold. */
const TIME_MAX_MS = 8.64e15;

/** Reads and checks one; throws PACKAGE_INVALID. */
export function parseManifest(bytes: Uint8Array): ReleaseManifest {
  const value = parsed(bytes);
  const { format, id, name, version, platform, architecture, node, createdMs, files, ...more } = value;
  if (format !== MANIFEST_FORMAT) throw invalid(`is of another format than ${MANIFEST_FORMAT}`);
  const [stray] = Object.keys(more);
  if (stray !== undefined) throw invalid(`has a member that is not known: ${JSON.stringify(stray.slice(0, 60))}`);
  if (name !== 'spillway') throw invalid('is that of another program');
  if (typeof version !== 'string' || !isVersion(version)) throw invalid('has no version');
  for (const word of [platform, architecture])
    if (typeof word !== 'string' || !WORD.test(word)) throw invalid('does not say for which machines it is');
  if (typeof node !== 'string' || node.length === 0 || node.length > 200 || validRange(node) === null)
    throw invalid('does not say for which Node it is');
  if (!Number.isSafeInteger(createdMs) || (createdMs as number) < 0 || (createdMs as number) > TIME_MAX_MS)
    throw invalid('does not say when it was made');
  if (!Array.isArray(files) || files.length === 0) throw invalid('names no files');
  if (files.length > UPDATE_LIMITS.files) throw invalid(`names more than ${UPDATE_LIMITS.files} files`);
  const manifest = { ...value, files: checkFiles(files) } as unknown as ReleaseManifest;
  if (id !== idOf(manifest)) throw invalid('has an id that is not its own');
  return manifest;
}

function parsed(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw invalid('is no JSON object');
}

function checkFiles(files: readonly unknown[]): ReleaseFile[] {
  let sum = 0;
  let before = '';
  const checked = files.map((each, i) => {
    const { path, bytes, sha256, executable, ...more } = (each ?? {}) as Record<string, unknown>;
    const where = `names a file (${i})`;
    if (typeof path !== 'string' || !isPath(path))
      throw invalid(`${where} whose path leads elsewhere, or is too long: ${JSON.stringify(String(path).slice(0, 100))}`);
    // In one order: no file comes twice.
    if (i > 0 && !isBefore(before, path)) throw invalid(`${where} out of order: ${JSON.stringify(path)}`);
    before = path;
    if (!Number.isSafeInteger(bytes) || (bytes as number) < 0 || (bytes as number) > UPDATE_LIMITS.fileBytes)
      throw invalid(`${where} that is too large`);
    sum += bytes as number;
    if (sum > UPDATE_LIMITS.releaseBytes) throw invalid(`names more than ${UPDATE_LIMITS.releaseBytes} bytes`);
    if (typeof sha256 !== 'string' || !SHA256.test(sha256)) throw invalid(`${where} without its SHA-256`);
    if (typeof executable !== 'boolean' || Object.keys(more).length > 0) throw invalid(`${where} that says something else of itself`);
    return { path, bytes: bytes as number, sha256, executable };
  });
  checkFolders(checked);
  return checked;
}

/** No file stands where another has a folder. */
function checkFolders(files: readonly ReleaseFile[]): void {
  const paths = new Set(files.map(({ path }) => path));
  let before = '';
  for (const { path } of files) {
    // Folders that it shares with the one before were looked at.
    let at = 0;
    while (at < path.length && path[at] === before[at]) at++;
    while ((at = path.indexOf('/', at)) !== -1) {
      const folder = path.slice(0, at++);
      if (paths.has(folder)) throw invalid(`names a file where another has a folder: ${JSON.stringify(folder)}`);
    }
    before = path;
  }
}

/** By their bytes, so that the order is the same everywhere. */
export const isBefore = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;

/** A path below a folder: no link, no `..`, nothing absolute, nothing that another system would take for a separator. */
export function isPath(path: string): boolean {
  if (/[\u0000-\u001f\u007f\\]/.test(path) || /[\ud800-\udfff]/u.test(path)) return false;
  const nameAt = path.lastIndexOf('/') + 1;
  if (Buffer.byteLength(path.slice(0, nameAt)) > UPDATE_LIMITS.folderBytes || Buffer.byteLength(path.slice(nameAt)) > UPDATE_LIMITS.nameBytes)
    return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
