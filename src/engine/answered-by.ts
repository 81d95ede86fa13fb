/** Which engine answers a filter. */
import type { FilterText } from '../filter/languages.js';

export interface Shares {
  /** Become programs that the scan runs. */
  native: FilterText[];
  /** Display filters that tshark answers. */
  dissected: string[];
}

export function shareOut(filters: readonly FilterText[]): Shares {
  const shares: Shares = { native: [], dissected: [] };
  for (const filter of filters) {
    if (typeof filter !== 'string' && filter.language === 'wireshark') shares.dissected.push(filter.text);
    else shares.native.push(filter);
  }
  return shares;
}
