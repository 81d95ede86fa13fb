/** What a program that root starts for another user is given. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { asUser, environmentFor, PLAIN_VIEW } from '../../src/privileged/as-user.js';
import { isRoot, NOBODY } from './household.js';

it('gets no secret of root’s environment', () => {
  const kept = { PATH: '/bin', LANG: 'C', LC_ALL: 'C', TZ: 'UTC', NODE_OPTIONS: '--max-old-space-size=64', SPILLWAY_COMPILE: 'x' };
  const secret = {
    HOME: '/root',
    USER: 'root',
    AWS_SECRET_ACCESS_KEY: 'x',
    npm_config__auth: 'x',
    SSH_AUTH_SOCK: 'x',
    TMPDIR: '/root/tmp',
    MY_PATH: 'x',
  };
  expect(environmentFor({ ...kept, ...secret })).toEqual(kept);
});

it.runIf(isRoot)('keeps one capability where it is named, and passes its arguments on as they are', () => {
  const run = (...args: Parameters<typeof asUser>): string => {
    const [program, ...rest] = asUser(...args);
    return execFileSync(program!, rest, { encoding: 'utf8' });
  };
  const user = { uid: NOBODY, gid: NOBODY, name: 'nobody' };
  expect(run(user, PLAIN_VIEW, ['echo', '--version', '', 'a b'])).toBe('--version  a b\n');
  const sets = (text: string): string[] => [...text.matchAll(/^Cap(?:Inh|Prm|Eff|Bnd|Amb):\t(.*)$/gm)].map((match) => match[1]!);
  const status = ['cat', '/proc/self/status'];
  expect(new Set(sets(run(user, PLAIN_VIEW, status)))).toEqual(new Set(['0000000000000000']));
  expect(new Set(sets(run(user, PLAIN_VIEW, status, 'net_raw')))).toEqual(new Set(['0000000000002000']));
});
