/** System packages: what is missing, and installing it with apt where that is allowed. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, outputOf, runLogged } from './run.mjs';
import { say, SetupError } from './say.mjs';

/** A need: the Debian package that fills it, and how to see whether it is filled already (by whatever means). */
const program = (name, debianPackage = name) => ({ package: debianPackage, present: () => findProgram(name) !== null });

/** libpcap compiles filters; it is opened at run time under one of its two names. */
const libpcap = { package: 'libpcap0.8', present: () => ['libpcap.so.0.8', 'libpcap.so.1'].some(hasLibrary) };

/** The sanitizers and libFuzzer of the installed clang, which Debian packages by clang's major version. */
const clangRuntime = {
  get package() {
    return `libclang-rt-${clangMajor()}-dev`;
  },
  present: () => {
    const folder = outputOf('clang++', ['-print-resource-dir']);
    if (folder === null) return false;
    const lib = join(folder, 'lib', 'linux');
    return existsSync(lib) && readdirSync(lib).some((name) => name.startsWith('libclang_rt.fuzzer'));
  },
};

/** To build the two addons: node-gyp runs python3 and make, make runs g++. */
export const BUILD_NEEDS = [program('g++'), program('make'), program('python3')];
/** To run. */
export const RUN_NEEDS = [libpcap];
/** To build the native tests and the fuzzers. */
export const CLANG_NEEDS = [program('clang++', 'clang'), clangRuntime];
/** To run every test: peers to compare with, the sanitizers, and a client. tshark brings editcap and capinfos along. */
export const TEST_NEEDS = [
  program('tcpdump'),
  program('tshark'),
  program('editcap', 'wireshark-common'),
  program('capinfos', 'wireshark-common'),
  ...CLANG_NEEDS,
  program('curl'),
  program('zstd'),
  // What opens packages on the other side.
  program('7z', 'p7zip-full'),
  program('unzip'),
  // What makes keys.
  program('openssl'),
  // Live captures: namespaces with virtual interfaces.
  program('ip', 'iproute2'),
  program('sysctl', 'procps'),
];

const LIBRARY_FOLDERS = ['/lib', '/usr/lib', '/usr/local/lib', '/lib64', '/usr/lib64'];

function hasLibrary(name) {
  const folders = LIBRARY_FOLDERS.flatMap((folder) => {
    if (!existsSync(folder)) return [];
    const multiarch = readdirSync(folder).filter((entry) => entry.endsWith('-linux-gnu'));
    return [folder, ...multiarch.map((entry) => join(folder, entry))];
  });
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** Debian 12's clang is 14; the package is named before clang is there to be asked. */
function clangMajor() {
  return /clang version (\d+)/.exec(outputOf('clang++', ['--version']) ?? '')?.[1] ?? '14';
}

export function missingPackages(needs) {
  return [...new Set(needs.filter((need) => !need.present()).map((need) => need.package))];
}

/** How apt-get may be started here, or null: as root, or through a sudo that asks no password. */
function aptCommand() {
  if (findProgram('apt-get') === null) return null;
  if (process.getuid?.() === 0) return ['apt-get'];
  if (findProgram('sudo') !== null && outputOf('sudo', ['-n', 'true']) !== null) return ['sudo', '-n', 'apt-get'];
  return null;
}

/** The sentence for packages that cannot be installed from here. */
export function installSentence(packages) {
  const list = packages.join(' ');
  if (findProgram('apt-get') === null) return `install what these Debian packages hold, then run this again: ${list}`;
  return `run this, then start again: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${list}`;
}

async function aptInstall(apt, packages) {
  const [command, ...before] = apt;
  const options = { sentence: installSentence(packages), env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const install = [...before, 'install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...packages];
  try {
    await runLogged('apt-install', command, install, options);
  } catch {
    // A bare machine has no package lists yet, an old one has stale ones.
    await runLogged('apt-update', command, [...before, 'update'], options);
    await runLogged('apt-install', command, install, options);
  }
}

/** Installs what is missing of `needs`; a SetupError with the exact command where that may not be. */
export async function ensurePackages(needs) {
  const packages = missingPackages(needs);
  if (packages.length === 0) return;
  const apt = aptCommand();
  if (apt === null) throw new SetupError(`some system packages are missing; ${installSentence(packages)}`);
  say(`installing system packages: ${packages.join(' ')} …`);
  await aptInstall(apt, packages);
  const still = missingPackages(needs);
  if (still.length > 0) throw new SetupError(`apt installed ${still.join(' ')}, but what should be in it is not found`);
}
