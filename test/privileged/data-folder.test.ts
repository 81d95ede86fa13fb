/** Making a data folder for a user, and handing one over that was root's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probeConfig } from '../../src/config.js';
import { dataFolderFor } from '../../src/privileged/data-folder.js';
import { startProbe } from '../../src/probe.js';
import { until } from '../capture/live.js';
import { folderOf, isRoot, SPILLWAY } from './household.js';

const user = { uid: 3_999_999_999, gid: 3_999_999_998, name: 'somebody' };

const refused = async (path: string, why: string): Promise<void> =>
  expect(dataFolderFor(user, path)).rejects.toMatchObject({
    code: 'DATA_FOLDER_UNUSABLE',
    message: expect.stringContaining(`the data folder ${path} can not be used: ${why}`) as string,
  });

const ownersOf = (folder: string): Record<string, number> =>
  Object.fromEntries((readdirSync(folder, { recursive: true }) as string[]).map((name) => [name, lstatSync(join(folder, name)).uid]));

describe.runIf(isRoot)('a data folder', () => {
  it('is made, private to the user', async () => {
    const path = join(folderOf(0o755), 'new', 'data');
    expect(await dataFolderFor(user, path)).toBe(path);
    expect(statSync(path)).toMatchObject({ uid: user.uid, gid: user.gid, mode: 0o40700 });
    expect(statSync(join(path, '..'))).toMatchObject({ uid: 0, mode: 0o40755 });
    expect(await dataFolderFor(user, path)).toBe(path);
  });

  it("of root's is handed over, with all that a probe and a capture made", async () => {
    const path = join(folderOf(0o755), 'data');
    const probe = await startProbe(probeConfig({ dataFolder: path, port: 0, logLevel: 'silent' }, {}));
    const capture = spawn(SPILLWAY, ['capture', '-i', 'lo', '--data', path], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    capture.stderr.on('data', (text) => (said += String(text)));
    await until(() => said.includes('capturing on lo'));
    await refused(path, `a capture of root's runs in it`);
    expect(new Set(Object.values(ownersOf(path)))).toEqual(new Set([0]));
    capture.kill('SIGTERM');
    await once(capture, 'exit');
    await probe.close();
    const link = `${path}-link`;
    symlinkSync(path, link);
    expect(await dataFolderFor(user, link)).toBe(path);
    expect(statSync(path).uid).toBe(user.uid);
    const owners = ownersOf(path);
    expect(Object.keys(owners)).toEqual(expect.arrayContaining(['spillway.db', 'fs/admin/sample.pcap', 'buffer']));
    expect(new Set(Object.values(owners))).toEqual(new Set([user.uid]));
  });

  it('keeps what is not ours, and leads nowhere else', async () => {
    const [path, elsewhere] = [join(folderOf(0o755), 'data'), folderOf(0o755)];
    mkdirSync(join(path, 'fs', 'admin', 'theirs'), { recursive: true });
    for (const name of ['spillway.db', 'notes.txt', 'fs/admin/a.pcap']) writeFileSync(join(path, name), '');
    chownSync(join(path, 'fs', 'admin', 'theirs'), 5, 5);
    writeFileSync(join(path, 'fs', 'admin', 'theirs', 'b.pcap'), '');
    writeFileSync(join(elsewhere, 'secret'), '');
    symlinkSync(elsewhere, join(path, 'buffer'));
    symlinkSync(join(elsewhere, 'secret'), join(path, 'fs', 'admin', 'link'));
    linkSync(join(elsewhere, 'secret'), join(path, 'fs', 'admin', 'hard'));
    await dataFolderFor(user, path);
    expect([elsewhere, join(elsewhere, 'secret')].map((each) => statSync(each).uid)).toEqual([0, 0]);
    expect(ownersOf(path)).toMatchObject({
      'notes.txt': 0,
      'fs/admin/hard': 0,
      'fs/admin/theirs': 5,
      'fs/admin/theirs/b.pcap': 0,
      'fs/admin/a.pcap': user.uid,
      fs: user.uid,
    });
  });

  it("that is none of ours stays root's", async () => {
    const path = folderOf(0o755);
    mkdirSync(join(path, 'lost+found'));
    writeFileSync(join(path, 'etc'), '');
    await refused(path, 'it belongs to root and holds other things, such as etc');
    const open = folderOf(0o755);
    chmodSync(open, 0o1777);
    await refused(open, 'everybody may write to it');
    expect([path, open].map((each) => statSync(each).uid)).toEqual([0, 0]);
  });

  it('that can not be had is refused with a sentence', async () => {
    const path = folderOf(0o755);
    writeFileSync(join(path, 'file'), '');
    await refused(join(path, 'file'), 'ENOTDIR');
    await refused(join(path, 'file', 'data'), 'ENOTDIR');
    chownSync(path, 5, 5);
    await refused(path, 'it belongs to the user 5, not to somebody');
    symlinkSync(join(path, 'nowhere'), join(path, 'dangling'));
    await refused(join(path, 'dangling'), 'EEXIST');
    expect(existsSync(join(path, 'nowhere'))).toBe(false);
  });
});
