/** A certificate and its key, as `spillway tls init` makes them. */
import { join } from 'node:path';
import { run } from '../cli/support.js';

export async function makePair(folder: string, ...args: string[]): Promise<{ cert: string; key: string }> {
  const { exit, stderr } = await run(['tls', 'init', '-o', folder, ...args]);
  if (exit !== 0) throw new Error(stderr);
  return { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
}
