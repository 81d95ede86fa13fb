/** Filters in any of the languages, and their programs. */
import { compileFilter } from './compile.js';
import { compileSteelfilter } from './steelfilter/steelfilter.js';

/** A BPF text (pcap-filter), or a text that names its language. */
export type FilterText = string | { language: 'bpf' | 'steelfilter'; text: string };

/** The filter as its author wrote it. */
export function textOf(filter: FilterText): string {
  return typeof filter === 'string' ? filter : filter.text;
}

/** `linkType` is that of capture files (LINKTYPE_). Rejects with FILTER_* or SETUP_INCOMPLETE. */
export async function compileText(filter: FilterText, linkType: number): Promise<{ code: Uint8Array; rejectsAll: boolean }> {
  const { language, text } = typeof filter === 'string' ? { language: 'bpf', text: filter } : filter;
  return language === 'steelfilter' ? compileSteelfilter(text, linkType) : compileFilter(text, linkType);
}
