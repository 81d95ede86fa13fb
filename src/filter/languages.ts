/** Filters in any of the languages, and their programs. */
import { SpillwayError } from '../errors.js';
import { compileFilter } from './compile.js';
import { compileSteelfilter } from './steelfilter/steelfilter.js';
import { translateWireshark } from './wireshark/wireshark.js';

/** A BPF text (pcap-filter), or a text that names its language. */
export type FilterText = string | { language: 'bpf' | 'steelfilter' | 'wireshark'; text: string };

/** The filter as its author wrote it. */
export function textOf(filter: FilterText): string {
  return typeof filter === 'string' ? filter : filter.text;
}

/** `linkType` is that of capture files (LINKTYPE_). Rejects with FILTER_* or SETUP_INCOMPLETE. */
export async function compileText(filter: FilterText, linkType: number): Promise<{ code: Uint8Array; rejectsAll: boolean }> {
  const { language, text } = typeof filter === 'string' ? { language: 'bpf', text: filter } : filter;
  if (language === 'steelfilter') return compileSteelfilter(text, linkType);
  if (language === 'bpf') return compileFilter(text, linkType);
  const translated = translateWireshark(text, linkType);
  if (!translated) throw new SpillwayError('FILTER_UNSUPPORTED', 'this display filter has no program: tshark answers it');
  return { code: translated.answer, rejectsAll: false };
}
