/** Where things lie. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** Stamps, logs and fuzzing corpora; never committed, safe to delete. */
export const setupDir = join(root, '.setup');
/** Captures with golden answers that the conformance tests read; optional. */
export const corporaDir = process.env.SPILLWAY_CORPORA || join(root, '..', 'shared', 'corpora');
