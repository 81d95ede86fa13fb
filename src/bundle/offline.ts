/** What can be collected of a probe that does not run. */
import { hostname } from 'node:os';
import { packageVersion } from '../root.js';
import type { Collector } from './collector.js';
import type { BundleAbout } from './manifest.js';

export interface OfflineCollectors {
  collectors: Collector[];
  about: BundleAbout;
  close(): void;
}

/** The collectors of a data folder without a server. */
export function offlineCollectors(dataFolder: string): Promise<OfflineCollectors> {
  const version = packageVersion();
  const versions: Collector = {
    name: 'versions',
    section: null,
    file: 'versions.json',
    about: 'what runs here',
    maxBytes: 64 << 10,
    maxMs: 1000,
    collect: () => Promise.resolve({ spillway: version, node: process.version, dataFolder }),
  };
  return Promise.resolve({
    collectors: [versions],
    about: { version, serial: '', device: hostname(), createdMs: Date.now() },
    close: () => undefined,
  });
}
