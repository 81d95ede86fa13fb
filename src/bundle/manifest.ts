/** What a package says of itself: `manifest.json`, its last file but `README.txt`. */
import type { BundleWish, Section } from './collector.js';

export const MANIFEST_FILE = 'manifest.json';
export const README_FILE = 'README.txt';
export const MANIFEST_FORMAT = 'spillway-diagnostic-package/1';

/** Whose package it is. */
export interface BundleAbout {
  version: string;
  /** Serial number of the probe. */
  serial: string;
  /** Its name. */
  device: string;
  createdMs: number;
}

/** What came of one collector. */
export interface ManifestEntry {
  name: string;
  section: Section | null;
  about: string;
  /** Null: it gave nothing. */
  file: string | null;
  bytes: number;
  /** Of the file as it is in the package. */
  sha256: string | null;
  /** How long it took. */
  ms: number;
  /** The file ends before all was said. */
  truncated?: true;
  /** Why the file is missing or truncated. */
  note?: string;
}

export interface Manifest {
  format: typeof MANIFEST_FORMAT;
  about: BundleAbout;
  wish: BundleWish;
  entries: ManifestEntry[];
}

/** For whoever unpacks it. */
export function readme({ about, wish, entries }: Manifest): string {
  const size = Math.max(0, ...entries.map(({ file }) => file?.length ?? 0));
  const lines = entries.map(({ file, name, about: what, note }) => {
    const marked = note === undefined ? '' : ` [${note}]`;
    return `  ${(file ?? `(${name})`).padEnd(size)}  ${what}${marked}`;
  });
  return `Diagnostic package of the probe ${about.device} (serial ${about.serial}, Spillway ${about.version}),
made ${new Date(about.createdMs).toISOString()}; verbosity ${wish.verbosity}; sections: ${wish.sections.join(', ') || 'none'}.

Files:
${lines.join('\n')}

${MANIFEST_FILE} lists them with their SHA-256. Passwords, tokens, keys, cookies and passphrases were replaced by [removed] before
anything was written${wish.sections.includes('user_credentials') ? '; the names of users and the hashes of their passwords are in the section user_credentials' : ''}.

A package with a passphrase is a ZIP archive with AES-256: 7z x FILE asks for the passphrase, and so does
"spillway diag decrypt FILE -o PLAIN.zip". "spillway diag inspect FILE" checks the SHA-256 of every file.
`;
}
