/** The file name that a download suggests. */
import type { ExportFormat } from '../../engine/types.js';

const STEM_MAX = 64;

/** Only `A-Za-z0-9._-`, no quotes: clients cut the header at its `=`. */
export function downloadName(source: string, id: string, format: ExportFormat): string {
  const file = source.split('/').at(-1) ?? '';
  const stem = file.replace(/\.(pcap|pcapng|cap|gz|zst)$/i, '').replace(/\.(pcap|pcapng|cap)$/i, '');
  const safe = stem
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._-]+/, '')
    .slice(0, STEM_MAX);
  return `${safe || 'export'}-${id.slice(0, 8)}.${format.startsWith('pcapng') ? 'pcapng' : 'pcap'}`;
}
