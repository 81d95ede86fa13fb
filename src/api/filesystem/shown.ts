/** Files and folders as clients read them. */
import type { CaptureFacts } from '../../engine/capture-facts.js';
import { linkTypeName } from '../../filter/linktypes.js';
import type { Entry } from '../../state/file-entry.js';
import type { Listed } from '../../state/file-list.js';
import { idOf } from '../../state/file-path.js';
import { NS_PER_SECOND } from '../../units.js';
import type { KINDS } from './schema.js';

type Kind = (typeof KINDS)[number];

/** In both forms that clients look for: flat, and nested in `file`. */
export function shownFile(entry: Entry, facts: CaptureFacts | null): Record<string, unknown> {
  const flat = {
    ...common(entry, facts === null ? 'FILE' : facts.format.startsWith('pcapng') ? 'PCAPNG_FILE' : 'PCAP_FILE'),
    size: Number(entry.stat.size),
    ...(facts !== null && { format: facts.format.toUpperCase() }),
    ...(facts !== null && facts.linkType !== null && { link_type: linkTypeName(facts.linkType) }),
  };
  return { ...flat, file: flat };
}

export function shownFolder(folder: Listed<CaptureFacts | null>): Record<string, unknown> {
  return {
    ...common(folder, 'DIRECTORY'),
    files: { items: folder.files.map((file) => shownFile(file, file.about)) },
    dirs: { items: folder.folders.map(shownFolder) },
  };
}

function common({ path, stat }: Entry, type: Kind): Record<string, unknown> {
  // Not every file system keeps the time a file was made.
  const createdNs = stat.birthtimeNs > 0n ? stat.birthtimeNs : stat.mtimeNs;
  return { id: idOf(path), type, created: seconds(createdNs), modified: seconds(stat.mtimeNs), access_rights: { owner: path[0] } };
}

function seconds(ns: bigint): string {
  const [whole, rest] = ns < 0n ? [0n, 0n] : [ns / NS_PER_SECOND, ns % NS_PER_SECOND];
  return `${whole}.${String(rest).padStart(9, '0')}`;
}
