/** The launcher, with releases that do as they are told: what runs, and which one runs after it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fromRoot } from '../../src/root.js';
import { closeDatabase, openDatabase } from '../../src/state/database.js';
import { LAUNCHED } from '../../src/update/launcher.js';
import { Slots } from '../../src/update/slots.js';
import { isRoot, NOBODY } from '../privileged/household.js';
import { temporaryFolder } from '../support/temporary.js';

/** Of `bin/spillway` of a release; `act` is its behaviour. */
const program = (name: string, act: string): string => `
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { Slots } from ${JSON.stringify(fromRoot('dist', 'update', 'slots.js'))};
const data = process.argv[2];
const slots = new Slots(data, data + '/installed');
const log = () => readFileSync(data + '/log', 'utf8').trim().split('\\n');
const told = (line) => appendFileSync(data + '/log', line + '\\n');
process.on('SIGTERM', () => { told('${name} ended'); process.exit(0); });
told('${name} ' + process.argv.slice(3).join(' '));
process.on('disconnect', () => { told('${name} alone'); process.exit(0); });
const runs = setInterval(() => {}, 1000);
const listens = (port) => process.send({ listening: port });
const healthy = () => { slots.confirm('${name}'); process.send({ healthy: true }); told('${name} healthy'); };
const restart = () => { process.send({ restart: true }); setTimeout(() => process.exit(0), 20); };
${act}
`;

const HEALTHY = 'listens(1234); healthy();';
/** Once; behind that it is healthy. */
const UPDATES = `listens(1234); if (slots.read().last === null) { slots.activate('a', 'task'); restart(); } else healthy();`;

interface House {
  data: string;
  slots: Slots;
  launcher: ChildProcess;
  errors: () => string;
  log: () => string[];
}

const started: ChildProcess[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

function house(releases: Record<string, string>, prepare: (slots: Slots, data: string) => void = () => undefined, healthyMs?: number): House {
  const data = temporaryFolder().path;
  const slots = new Slots(data, join(data, 'installed'));
  for (const [place, act] of Object.entries(releases)) release(slots, place as 'a', act);
  prepare(slots, data);
  return launched(data, slots, healthyMs);
}

function release(slots: Slots, place: 'installed' | 'a' | 'b', act: string): void {
  const bin = join(slots.folderOf(place), 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'spillway'), program(place, act));
  writeFileSync(join(bin, 'package.json'), '{"type":"module"}');
  if (place !== 'installed') slots.write({ ...slots.read(), slots: { ...slots.read().slots, [place]: { package: 'p', version: '1' } } });
}

/** `healthyMs`: for those that are never healthy; the others may start slowly. */
function launched(data: string, slots: Slots, healthyMs = 60_000): House {
  const driver = `
    import { launch } from ${JSON.stringify(fromRoot('dist', 'update', 'launcher.js'))};
    import { Slots } from ${JSON.stringify(fromRoot('dist', 'update', 'slots.js'))};
    const data = ${JSON.stringify(data)};
    const args = (port) => [data, String(port)];
    process.exit(await launch({ dataFolder: data, slots: new Slots(data, data + '/installed'), args, files: [], patience: { healthyMs: ${healthyMs}, endMs: 200, lockedMs: 60_000 } }));`;
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', driver], { stdio: ['ignore', 'inherit', 'pipe'] });
  started.push(launcher);
  let errors = '';
  launcher.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const log = (): string[] => {
    try {
      return readFileSync(join(data, 'log'), 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  return { data, slots, launcher, errors: () => errors, log };
}

const logged = (home: House, line: string): Promise<void> => expect.poll(home.log, { timeout: 10_000 }).toContain(line);

async function ended({ launcher }: House, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  launcher.kill(signal);
  const [code] = (await once(launcher, 'exit')) as [number | null];
  return code;
}

describe('the launcher', () => {
  it('starts the release that the server asks for, where the server listened', async () => {
    const home = house({ installed: UPDATES, a: HEALTHY });
    await logged(home, 'a healthy');
    expect(home.log()).toEqual(['installed null', 'a 1234', 'a healthy']);
    expect(home.slots.read()).toMatchObject({ active: 'a', trial: null, last: { install: 'task', outcome: 'healthy' } });
    expect(await ended(home)).toBe(0);
    expect(home.log().at(-1)).toBe('a ended');
  });

  it.each<[string, string, RegExp, number?]>([
    ['ends', 'process.exit(3)', /ended with exit code 3/],
    ['does not start', 'throw new Error("no")', /ended with exit code 1/],
    ['is killed', 'process.kill(process.pid, "SIGKILL")', /SIGKILL ended it/],
    ['is never healthy', 'listens(1234)', /not healthy within 0.7 s/, 700],
    [
      'is never healthy, and does not end',
      'process.removeAllListeners("SIGTERM"); process.on("SIGTERM", () => {});',
      /not healthy within 0.7 s/,
      700,
    ],
  ])('goes back to the release before where a new one %s', async (_, act, why, healthyMs) => {
    const home = house({ installed: UPDATES, a: act }, undefined, healthyMs);
    await logged(home, 'installed healthy');
    expect(home.slots.read()).toMatchObject({
      active: 'installed',
      trial: null,
      last: { install: 'task', outcome: 'rolled back', why: expect.stringMatching(why) as string },
    });
    expect(home.errors()).toMatch(why);
    expect(home.log().filter((line) => line.startsWith('installed'))).toEqual(['installed null', 'installed 1234', 'installed healthy']);
  });

  it('goes back from one slot to the other', async () => {
    const activates = UPDATES.replace("'a'", "'b'");
    const home = house({ installed: HEALTHY, a: activates, b: 'process.exit(1)' }, (slots) => slots.write({ ...slots.read(), active: 'a' }));
    await logged(home, 'a healthy');
    expect(home.log()).toEqual(['a null', 'b 1234', 'a 1234', 'a healthy']);
  });

  it('ends with the code of a server that is on no trial', async () => {
    const home = house({ installed: 'process.exit(7)' });
    expect((await once(home.launcher, 'exit'))[0]).toBe(7);
  });

  it('kills a server that asks for a restart and does not end', async () => {
    const home = house({ installed: `slots.activate('a', 'task'); process.send({ restart: true });`, a: HEALTHY });
    await logged(home, 'a healthy');
  });

  it('that is told to end during a trial leaves it to the next start, which goes on with it once', async () => {
    const home = house({ installed: UPDATES, a: 'if (slots.read().trial.starts > 1) healthy();' });
    await logged(home, 'a 1234');
    expect(await ended(home)).toBe(0);
    expect(home.slots.read()).toMatchObject({ active: 'a', trial: { starts: 1 } });
    const again = launched(home.data, home.slots);
    await logged(again, 'a healthy');
    expect(await ended(again)).toBe(0);
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)('takes the server along when %s ends it', async (signal) => {
    const home = house({ installed: HEALTHY });
    await logged(home, 'installed healthy');
    await ended(home, signal);
    await logged(home, signal === 'SIGKILL' ? 'installed alone' : 'installed ended');
  });
});

describe('a release on trial', () => {
  it('that becomes healthy as its time runs out is started again', async () => {
    const late = `if (slots.read().trial) { process.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => { healthy(); process.exit(0); }); } else healthy();`;
    // Again and again: on a busy machine it may be told to end before it can hear that.
    const home = house({ installed: `listens(1234); slots.activate('a', 'task'); restart();`, a: late }, undefined, 700);
    await expect.poll(() => home.log().filter((line) => line === 'a healthy'), { timeout: 20_000 }).toHaveLength(2);
    expect(home.slots.read()).toMatchObject({ active: 'a', last: { outcome: 'healthy' } });
  });

  it('is not judged by a data folder that it could not open, however often', async () => {
    const locked = `
      if (log().filter((line) => line.startsWith('a ')).length > 3) healthy();
      else { process.send({ locked: true }); setTimeout(() => process.exit(2), 20); }`;
    const home = house({ installed: UPDATES, a: locked });
    await logged(home, 'a healthy');
    expect(home.log().filter((line) => line.startsWith('a'))).toEqual(['a 1234', 'a 1234', 'a 1234', 'a 1234', 'a healthy']);
  });

  it('waits for whoever has the data folder open', async () => {
    const holds = (data: string) => openDatabase(join(data, 'spillway.db')).db;
    let db: ReturnType<typeof holds>;
    const home = house({ installed: HEALTHY, a: HEALTHY }, (slots, data) => {
      slots.activate('a', 'task');
      db = holds(data);
    });
    await expect.poll(home.errors, { timeout: 10_000 }).toMatch(/another program has the data folder open/);
    expect(home.log()).toEqual([]);
    closeDatabase(db!);
    await logged(home, 'a healthy');
  });

  it('gives way also where that can not be written down', async () => {
    const part = `data + '/updates/slots.json.part'`;
    const home = house({
      installed: UPDATES.replace('slots.read().last === null', '!slots.read().trial && slots.read().last === null').replace(
        'healthy()',
        `told('installed again')`,
      ),
      a: `mkdirSync(${part}); process.exit(1);`,
    });
    await logged(home, 'installed again');
    expect(home.slots.read()).toMatchObject({ active: 'a', trial: { starts: 1 } });
    rmdirSync(join(home.data, 'updates', 'slots.json.part'));
    home.slots.confirm('installed');
    expect(home.slots.read()).toMatchObject({ active: 'installed', last: { outcome: 'rolled back' } });
  });
});

describe('a data folder', () => {
  it('has one launcher: a second one changes nothing', async () => {
    const home = house({ installed: UPDATES, a: '' });
    await logged(home, 'a 1234');
    const before = home.slots.read();
    const second = launched(home.data, home.slots);
    expect((await once(second.launcher, 'exit'))[0]).not.toBe(0);
    expect(second.errors()).toMatch(/DATA_FOLDER_LOCKED/);
    expect(home.slots.read()).toEqual(before);
    expect(home.log()).toEqual(['installed null', 'a 1234']);
  });

  it('that a server can not open is told to its launcher', async () => {
    const data = temporaryFolder().path;
    const { db } = openDatabase(join(data, 'spillway.db'));
    // What root starts is no server.
    if (isRoot) for (const name of ['', ...readdirSync(data)]) chownSync(join(data, name), NOBODY, NOBODY);
    const server = spawn(process.execPath, [fromRoot('bin', 'spillway'), 'serve', '--data', data, '--port', '0'], {
      ...{ stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: { ...process.env, [LAUNCHED]: 'a' } },
      ...(isRoot && { uid: NOBODY, gid: NOBODY }),
    });
    started.push(server);
    const [told] = (await Promise.race([once(server, 'message'), once(server, 'exit')])) as [unknown];
    expect(told).toEqual({ locked: true });
    closeDatabase(db);
  });
});

describe('what is started', () => {
  const at = (place: 'a' | 'b') => (slots: Slots) => slots.write({ ...slots.read(), active: place });

  it.each<[string, (slots: Slots, data: string) => void, string]>([
    ['nothing was updated', () => undefined, 'installed null'],
    ['a slot is active', at('a'), 'a null'],
    ['the active slot is gone', (slots) => (at('a')(slots), rmSync(slots.folderOf('a'), { recursive: true })), 'installed null'],
    ['the active slot is being filled', (slots) => (at('a')(slots), void slots.clear('a')), 'installed null'],
    ['the state is no JSON', (slots, data) => (at('a')(slots), writeFileSync(join(data, 'updates', 'slots.json'), '{"for')), 'installed null'],
    ['the state is of another kind', (_, data) => writeFileSync(join(data, 'updates', 'slots.json'), '{"format":2}'), 'installed null'],
    ['a state was not written to its end', (slots, data) => (at('a')(slots), writeFileSync(join(data, 'updates', 'slots.json.part'), '{')), 'a null'],
    [
      'a trial was cut off twice',
      (slots) => slots.write({ ...slots.read(), active: 'a', trial: { install: 't', from: 'b', starts: 2, schema: null } }),
      'b null',
    ],
    [
      'what is on trial is gone',
      (slots) => {
        slots.write({ ...slots.read(), active: 'a', trial: { install: 't', from: 'b', starts: 0, schema: null } });
        rmSync(slots.folderOf('a'), { recursive: true });
      },
      'b null',
    ],
  ])('where %s', async (_, prepare, line) => {
    const home = house({ installed: HEALTHY, a: HEALTHY, b: HEALTHY }, prepare);
    await logged(home, line);
    expect(home.log()[0]).toBe(line);
  });
});
