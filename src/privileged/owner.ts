/** A command of root's that writes into a data folder of another user: it runs as that user, so that all it makes is that user's. */
import { realpathSync } from 'node:fs';
import { asUser, environmentFor } from './as-user.js';
import { endOf, startChild } from './child.js';
import { ownerOf } from './user.js';
import { viewFor } from './view.js';

/**
 * Runs the command as the owner of the data folder, with one capability where it is named and `input` on its standard
 * input, and resolves to its exit code; null where there is no need: this is not root, or the folder is root's or not there.
 */
export async function runAsOwner(
  dataFolder: string,
  command: (dataFolder: string) => string[],
  capability?: 'net_raw',
  input?: string,
): Promise<number | null> {
  const owner = process.getuid?.() === 0 ? ownerOf(dataFolder) : null;
  if (owner === null || owner.uid === 0) return null;
  const real = realpathSync(dataFolder);
  const view = await viewFor(owner, real);
  const stdin = input === undefined ? 'ignore' : 'pipe';
  const child = startChild(asUser(owner, view, command(real), capability), [stdin, 'inherit', 'inherit'], environmentFor(process.env));
  // It may end before it has read.
  child.stdin?.on('error', () => undefined).end(input);
  return endOf(child);
}
