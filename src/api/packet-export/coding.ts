/** Which content coding a download gets. */
import { SpillwayError } from '../../errors.js';

export type Coding = 'identity' | 'gzip' | 'zstd';

/**
 * `?compress=` decides. Without it the answer is identity, however many codings Accept-Encoding lists (Python clients
 * and browsers always do), unless it refuses identity.
 */
export function chooseCoding(compress: string | undefined, acceptEncoding: string | undefined): Coding {
  if (compress !== undefined) {
    if (compress === 'identity' || compress === 'gzip' || compress === 'zstd') return compress;
    throw new SpillwayError('CODING_UNSUPPORTED', `compress=${compress.slice(0, 40)} is not served: use zstd, gzip or identity`);
  }
  const weights = parse(acceptEncoding ?? '');
  const identity = weights.get('identity') ?? weights.get('*') ?? 1;
  if (identity > 0) return 'identity';
  const [best] = (['zstd', 'gzip'] as const)
    .map((coding) => ({ coding, weight: weights.get(coding) ?? weights.get('*') ?? 0 }))
    .sort((a, b) => b.weight - a.weight);
  if (best !== undefined && best.weight > 0) return best.coding;
  // Identity is refused and nothing else is named: what every client understands.
  if (!weights.has('gzip') && !weights.has('*')) return 'gzip';
  throw new SpillwayError('CODING_UNSUPPORTED', 'Accept-Encoding refuses identity, gzip and zstd, and nothing else is served');
}

/** Codings and their weights (RFC 9110, 12.5.3); what can not be read counts as not there. */
function parse(header: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const item of header.split(',')) {
    const [, coding, weight = '1'] = /^\s*([a-z0-9*_-]+)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i.exec(item) ?? [];
    if (coding !== undefined) weights.set(coding.toLowerCase(), Number(weight));
  }
  return weights;
}
