/** The files of a release: of a folder that runs, what it runs with, and nothing of how it was made. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { isBefore } from './manifest.js';
import { isPackageRun, isRun, isRunOfPackage } from './shipped.js';

/** Files without which nothing runs. `binding.gyp` is what the program knows its folder by. */
const NEEDED = [
  'bin/spillway',
  'bin/package.json',
  'binding.gyp',
  'build/Release/spillway.node',
  'build/Release/spillway-compile',
  'dist/cli/main.js',
  'dist/run/spillway.js',
  'package-lock.json',
  'package.json',
];
const PARTS = [...NEEDED, 'build/Release/spillway-capture', 'dist', 'docs', 'ARCHITECTURE.md', 'CHANGELOG.md', 'LICENSE', 'README.md'];

export interface Release {
  folder: string;
  version: string;
  /** Which Nodes it runs on. */
  node: string;
  /** Below the folder, in the order of a manifest. */
  paths: string[];
}

/** What is in a folder in which Spillway was installed and built. Throws PACKAGE_INVALID where it was not. */
export async function releaseIn(folder: string): Promise<Release> {
  const about = await json<{ name?: string; version?: string; engines?: { node?: string } }>(folder, 'package.json');
  if (about.name !== 'spillway' || !about.version || !about.engines?.node) throw unfit(folder, 'its package.json is not that of Spillway');
  const found = await Promise.all([
    ...PARTS.map((part) => filesIn(folder, part, isRun)),
    ...(await packagesIn(folder)).map((part) => filesIn(folder, part, isRunOfPackage)),
  ]);
  const paths = [...new Set(found.flat())].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  const missing = NEEDED.find((path) => !paths.includes(path));
  if (missing !== undefined) throw unfit(folder, `${missing} is missing, so that it is not built`);
  return { folder, version: about.version, node: about.engines.node, paths };
}

/** Folders of the packages that it runs with; those for building and testing are left out. */
async function packagesIn(folder: string): Promise<string[]> {
  const { packages = {} } = await json<{ packages?: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }> }>(
    folder,
    'package-lock.json',
  );
  const wanted = Object.entries(packages).filter(
    ([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true && isPackageRun(path),
  );
  const there = await Promise.all(wanted.map(async ([path, { optional }]) => ({ path, optional, isThere: await isFolder(join(folder, path)) })));
  // One for other systems is not installed.
  const missing = there.find(({ isThere, optional }) => !isThere && optional !== true);
  if (missing !== undefined) throw unfit(folder, `${missing.path} is missing, so that it is not installed`);
  return there.filter(({ isThere }) => isThere).map(({ path }) => path);
}

const isFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stat) => stat.isDirectory(),
    () => false,
  );

/** The files of a part, or the part itself; `isWanted` is asked with paths below it. What is no regular file is none of a release. */
async function filesIn(folder: string, part: string, isWanted: (below: string) => boolean): Promise<string[]> {
  const filesBelow = async (path: string): Promise<string[]> => {
    const entries = await readdir(join(folder, path), { withFileTypes: true });
    const found = entries.map(async (entry) => {
      const inside = `${path}/${entry.name}`;
      if (!isWanted(inside.slice(part.length + 1))) return [];
      if (entry.isDirectory()) return filesBelow(inside);
      return entry.isFile() ? [inside] : [];
    });
    return (await Promise.all(found)).flat();
  };
  const stat = await lstat(join(folder, part)).catch(() => null);
  if (stat?.isDirectory() === true) return filesBelow(part);
  return stat?.isFile() === true ? [part] : [];
}

async function json<T extends object>(folder: string, name: string): Promise<Partial<T>> {
  try {
    const value = JSON.parse(await readFile(join(folder, name), 'utf8')) as T | null;
    return value ?? {};
  } catch (error) {
    throw unfit(folder, `${name} can not be read (${(error as NodeJS.ErrnoException).code ?? 'it is no JSON'})`);
  }
}

const unfit = (folder: string, why: string): SpillwayError => new SpillwayError('PACKAGE_INVALID', `no release can be made of ${folder}: ${why}`);
