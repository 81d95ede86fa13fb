/** Runs a program of the system for what it prints: no shell, nothing of our environment, no input, and bounded. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const COMPLAINT_CHARACTERS = 500;
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' };

export interface Printed {
  /** The last `maxBytes` of it. */
  text: string;
  isCut: boolean;
}

/** Rejects where it can't be started or fails, with what it says, and with the reason of `signal`. */
export async function printed(path: string, args: readonly string[], maxBytes: number, signal: AbortSignal): Promise<Printed> {
  signal.throwIfAborted();
  const child = spawn(path, args, { cwd: '/', env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
  const kept: Buffer[] = [];
  let bytes = 0;
  let isCut = false;
  child.stdout.on('data', (part: Buffer) => {
    kept.push(part);
    bytes += part.length;
    for (let first = kept[0]!; bytes - first.length >= maxBytes; first = kept[0]!) {
      kept.shift();
      bytes -= first.length;
      isCut = true;
    }
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (complaint = (complaint + part).slice(0, COMPLAINT_CHARACTERS)));
  try {
    const [code] = (await once(child, 'close', { signal })) as [number | null];
    if (code !== 0) throw new Error(`${path} failed (${code ?? 'killed'})${complaint === '' ? '' : `: ${complaint.trim()}`}`);
    return { text: wholeLines(Buffer.concat(kept), isCut), isCut };
  } catch (error) {
    // What it started itself may hold the pipes; nobody waits for that.
    child.kill('SIGKILL');
    child.stdout.destroy();
    child.stderr.destroy();
    signal.throwIfAborted();
    throw error;
  }
}

function wholeLines(bytes: Buffer, isCut: boolean): string {
  return bytes.subarray(isCut ? bytes.indexOf(10) + 1 : 0).toString('utf8');
}
