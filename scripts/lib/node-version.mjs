/**
 * Whether this Node can run Spillway. Written in old syntax on purpose: an old Node must get as far as the sentence.
 * The range is that of `engines` in package.json (a test compares them).
 */
export const SUPPORTED_NODE = '^20.19 || ^22.15 || >=24';

export function nodeIsSupported(version) {
  const parts = version.replace(/^v/, '').split('.').map(Number);
  const major = parts[0];
  const minor = parts[1];
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 15) || major >= 24;
}

export function requireNode() {
  if (nodeIsSupported(process.version)) return;
  process.stderr.write(
    'spillway: Node ' + SUPPORTED_NODE + ' is needed and this is ' + process.version + '; install a newer one (https://nodejs.org).\n',
  );
  process.exit(1);
}
