/** Programs that stand in for tshark, and processes that run. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';

export const REAL_VERSION = 'echo "TShark (Wireshark) 4.0.17 (stand-in)."';

/** Gives a function by which, for one test, SPILLWAY_TSHARK is a shell script. `run`: what it does with packets. */
export function fakes(): (run: string, version?: string) => string {
  // Whoever the script runs as has to reach it.
  const folder = mkdtempSync(join(tmpdir(), 'spillway-fake-'));
  chmodSync(folder, 0o755);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(() => delete process.env['SPILLWAY_TSHARK']);
  let made = 0;
  return (run, version = REAL_VERSION) => {
    const path = join(folder, `tshark-${made++}`);
    // A look at a filter comes with an empty capture, which has 28 bytes.
    const script = `#!/bin/bash\n[ "$1" = --version ] && { ${version}\nexit; }\n[ "$(head -c 29 | wc -c)" -le 28 ] && exit 0\n${run}\n`;
    writeFileSync(path, script, { mode: 0o755 });
    return (process.env['SPILLWAY_TSHARK'] = path);
  };
}

/** Ids of processes whose command line holds a text. */
export function running(text: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(text);
    } catch {
      return false;
    }
  });
}

/** Ids of the tsharks, or stand-ins, that this process has started and that are there in any way, also as zombies. */
export function tsharks(): string[] {
  return readdirSync('/proc').filter((id) => {
    try {
      const [, name, parent] = /^\d+ \((.*)\) \S (\d+) /.exec(readFileSync(`/proc/${id}/stat`, 'latin1')) ?? [];
      return Number(parent) === process.pid && /^(tshark|setpriv$|prlimit$)/.test(name!);
    } catch {
      return false;
    }
  });
}
