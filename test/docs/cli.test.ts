/** docs/cli.md lists exactly the flags that the commands have. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CAPTURE } from '../../src/cli/capture.js';
import { CLIPS } from '../../src/cli/clips.js';
import { DIAG } from '../../src/cli/diag.js';
import { EXPORT } from '../../src/cli/export-arguments.js';
import { FILTER } from '../../src/cli/filter.js';
import type { FlagSpec } from '../../src/cli/flags.js';
import { INFO } from '../../src/cli/info.js';
import { JOBS } from '../../src/cli/jobs.js';
import { MERGE } from '../../src/cli/merge.js';
import { PACKAGE } from '../../src/cli/package.js';
import { PEERS } from '../../src/cli/peers.js';
import { SERVE } from '../../src/cli/serve.js';
import { TLS } from '../../src/cli/tls.js';
import { UPDATE } from '../../src/cli/update.js';
import { USERS } from '../../src/cli/users.js';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

/** The first cells of the rows that name flags, in the section of a command. */
function flagsIn(text: string, command: string): string[] {
  const section = text.split('\n## ').find((part) => part.startsWith(`spillway ${command}`)) ?? '';
  return [...section.matchAll(/^\| (`-.*?`) +\| /gm)].map(([, cell]) => cell!.replaceAll('\\|', '|'));
}

const cell = ({ name, short, value }: FlagSpec): string =>
  `${short === undefined ? '' : `\`-${short}\`, `}\`--${name}${value === undefined ? '' : ` ${value}`}\``;

it.each([EXPORT, MERGE, INFO, CAPTURE, JOBS, CLIPS, FILTER, USERS, PEERS, DIAG, PACKAGE, UPDATE, TLS, SERVE])('docs/cli.md: $name', (spec) => {
  expect(flagsIn(page, spec.name)).toEqual(spec.flags.map(cell));
});

describe('the reading of the page', () => {
  it('finds rows', () => {
    expect(flagsIn('# x\n## spillway a B\n| flag | x |\n| `-a`, `--all X\\|Y` | x |\n## spillway b\n| `--b` | x |\n', 'a')).toEqual([
      '`-a`, `--all X|Y`',
    ]);
  });
});
