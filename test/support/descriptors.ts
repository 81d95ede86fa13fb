/** Descriptors of this process. */
import { readdirSync, readlinkSync } from 'node:fs';

/** What the open descriptors lead to, of those whose target begins with `prefix` (a path, `pipe:`). */
export function descriptors(prefix: string): string[] {
  const targets: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (target.startsWith(prefix)) targets.push(target);
    } catch {
      // The descriptor of the listing itself is gone.
    }
  }
  return targets.sort();
}
