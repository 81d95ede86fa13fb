/** Which files go into a release, by their names: what Node loads and the server serves, and licences. */

/** What the TypeScript compiler leaves beside its output. */
const FOR_DEVELOPERS = /\.map$|\.tsbuildinfo$|\.d\.[cm]?ts$/;
/** Sources of addons and what compiling them leaves, other sources, settings of tools. */
const NOT_LOADED = /\.(?:ts|mts|cts|map|md|c|cc|S|h|o|a|d|mk|gyp|gypi|ya?ml|sh|tgz)$|(?:^|[/.])Makefile$/;
/** Of any ending. */
const LICENCE = /(?:^|\/)(?:licen[cs]e|copying|notice)[^/]*$/i;
/** Folders of a package, right in it, that its authors need and its users do not. */
const FOLDERS_FOR_AUTHORS = /^(?:tests?|test-jest|__tests__|benchmarks?|examples?|fixtures|e2e|docs)$/;
/** Anywhere in it: packages of its own are listed by themselves, and the other is where addons are linked. */
const OTHER_FOLDERS = /(?:^|\/)(?:node_modules|obj\.target)$/;
const HIDDEN = /(?:^|\/)\./;

/** A file or folder of Spillway's own. */
export const isRun = (path: string): boolean => !FOR_DEVELOPERS.test(path);

/** A file or folder of an npm package, by its path in there. */
export function isRunOfPackage(path: string): boolean {
  if (HIDDEN.test(path) || OTHER_FOLDERS.test(path) || FOLDERS_FOR_AUTHORS.test(path)) return false;
  return LICENCE.test(path) || !NOT_LOADED.test(path);
}

/** They hold declarations and nothing else. */
const TYPES = /(?:^|\/)@types\/[^/]+$/;
const FOR_MUSL = /-musl\w*$/;

/** Of packages for both C libraries of Linux npm installs both, where they do not say which they are for. */
export function isPackageRun(folder: string): boolean {
  return !TYPES.test(folder) && !(FOR_MUSL.test(folder) && hasGlibc());
}

let glibc: boolean | undefined;

function hasGlibc(): boolean {
  const about = (): { header?: { glibcVersionRuntime?: string } } => process.report.getReport();
  return (glibc ??= about().header?.glibcVersionRuntime !== undefined);
}
