/** The files of a release: of a folder that runs, what it runs with, and nothing of how it was made. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpillwayError } from '../errors.js';
import { isBefore } from './manifest.js';

/** Beside the packages of node_modules. */
const PARTS = ['bin', 'dist', 'docs', 'scripts', 'binding.gyp', 'package.json', 'package-lock.json', 'README.md', 'CHANGELOG.md', 'LICENSE'];
/** The addon, and the executables. */
const BUILT = /^[^/]+$/;
const BUILD = 'build/Release';

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
  const built = (await filesIn(folder, BUILD, false)).filter((path) => BUILT.test(path.slice(BUILD.length + 1)));
  if (!built.some((path) => path.endsWith('.node'))) throw unfit(folder, 'its native parts are not built');
  const parts = await Promise.all([...PARTS, ...(await packagesIn(folder))].map((part) => filesIn(folder, part, true)));
  const paths = [...built, ...parts.flat()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  if (!paths.includes('dist/index.js')) throw unfit(folder, 'its TypeScript is not compiled');
  return { folder, version: about.version, node: about.engines.node, paths: [...new Set(paths)] };
}

/** Folders of the packages that run; those for building and testing are left out. */
async function packagesIn(folder: string): Promise<string[]> {
  const { packages = {} } = await json<{ packages?: Record<string, { dev?: boolean; devOptional?: boolean }> }>(folder, 'package-lock.json');
  const wanted = Object.entries(packages).filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true);
  const there = await Promise.all(wanted.map(async ([path]) => ({ path, isThere: await isFolder(join(folder, path)) })));
  // A package for another system is not installed.
  return there.filter(({ isThere }) => isThere).map(({ path }) => path);
}

const isFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stat) => stat.isDirectory(),
    () => false,
  );

/** All files of a part, which may be one itself. Packages inside a package are listed by themselves. */
async function filesIn(folder: string, part: string, isDeep: boolean): Promise<string[]> {
  const stat = await lstat(join(folder, part)).catch(() => null);
  if (stat?.isFile() === true) return [part];
  if (stat?.isDirectory() !== true) return [];
  const entries = await readdir(join(folder, part), { withFileTypes: true });
  const found = entries.map(async (entry) => {
    const path = `${part}/${entry.name}`;
    if (entry.isFile()) return [path];
    return isDeep && entry.isDirectory() && entry.name !== 'node_modules' ? filesIn(folder, path, true) : [];
  });
  return (await Promise.all(found)).flat();
}

async function json<T>(folder: string, name: string): Promise<T> {
  try {
    return JSON.parse(await readFile(join(folder, name), 'utf8')) as T;
  } catch (error) {
    throw unfit(folder, `${name} can not be read (${(error as NodeJS.ErrnoException).code ?? 'it is no JSON'})`);
  }
}

const unfit = (folder: string, why: string): SpillwayError => new SpillwayError('PACKAGE_INVALID', `no release can be made of ${folder}: ${why}`);
