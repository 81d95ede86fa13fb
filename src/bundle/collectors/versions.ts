/** What runs: versions of the probe, of what it uses, and of the system. */
import { release, machine } from 'node:os';
import { theTshark } from '../../dissect/tshark.js';
import { libpcapVersion } from '../../filter/compile.js';
import { version as addonVersion } from '../../native.js';
import type { Collector } from '../collector.js';
import type { ProbeFacts } from '../facts.js';
import { BOUNDS } from '../limits.js';
import type { Places } from '../places.js';

export function versions({ version, serial, live }: ProbeFacts, places: Places): Collector {
  return {
    name: 'versions',
    section: null,
    file: 'versions.json',
    about: 'Versions of the probe, of what it uses, and of the system; how long the probe has run',
    ...BOUNDS.versions,
    collect: async () => {
      const [libpcap, tshark] = await Promise.all([
        orWhyNot(libpcapVersion()),
        orWhyNot(theTshark().then(({ path, version: its }) => `${its} (${path})`)),
      ]);
      return {
        spillway: version,
        serial,
        server: live ? { started: new Date(live.startedMs).toISOString(), uptime_seconds: Math.round((Date.now() - live.startedMs) / 1000) } : null,
        node: process.version,
        libraries: { v8: process.versions.v8, uv: process.versions.uv, openssl: process.versions.openssl, zlib: process.versions.zlib },
        addon: addonVersion,
        addon_agrees: addonVersion === version,
        libpcap,
        tshark,
        kernel: release(),
        machine: machine(),
        os: prettyName(await places.text('etc/os-release')),
      };
    },
  };
}

/** That something is missing is a fact like its version. */
function orWhyNot(asked: Promise<string>): Promise<string> {
  return asked.catch((error: unknown) => `none: ${(error as Error).message}`);
}

function prettyName(osRelease: string | null): string | null {
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease ?? '')?.[1] ?? null;
}
