/** Files of tasks: whole or invisible, within a quota, private, and gone in time. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Room } from './harness.js';
import { openRoom } from './harness.js';

const HOUR = 3_600_000;
const LIMITS = { artifactsBytes: 1000, artifactBytes: 600, artifacts: 3 };
const making = (name = 'a.zip', keptMs = HOUR) => ({ task: 't', name, about: { address: '::1' }, keptMs });
const filesOf = ({ folder }: Room): string[] => readdirSync(join(folder, 'packages'));
const code = (wanted: string) => expect.objectContaining({ code: wanted }) as Error;

async function made(room: Room, bytes: number, keptMs = HOUR): Promise<string> {
  const sink = await room.artifacts.make(making('a.zip', keptMs));
  await sink.write(Buffer.alloc(bytes, 'x'));
  await sink.finish();
  return sink.id;
}

describe('artifacts', () => {
  it('are seen when they are whole, and by nobody else', async () => {
    const room = await openRoom([]);
    const sink = await room.artifacts.make(making());
    await sink.write(Buffer.from('hel'));
    await sink.write(Buffer.from('lo'));
    expect(room.artifacts.list()).toEqual([]);
    expect(room.artifacts.find(sink.id)).toBeNull();
    await sink.finish();
    expect(sink.id).toMatch(/^[0-9a-f]{24}$/);
    expect(room.artifacts.list()).toMatchObject([{ id: sink.id, name: 'a.zip', bytes: 5, about: { address: '::1' }, task: 't' }]);
    expect(room.artifacts.find(sink.id)!.sha256).toBe('2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
    const path = join(room.folder, 'packages', sink.id);
    expect(readFileSync(path, 'utf8')).toBe('hello');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(room.folder, 'packages')).mode & 0o777).toBe(0o700);
  });

  it('that are given up leave nothing, not even in the quota', async () => {
    const room = await openRoom([], undefined, { limits: LIMITS });
    for (let i = 0; i < 5; i++) {
      const sink = await room.artifacts.make(making());
      await sink.write(Buffer.alloc(600));
      await sink.abort();
      await sink.abort();
    }
    expect(filesOf(room)).toEqual([]);
    await made(room, 600);
  });

  it('keep to their quota: each, all together, and in number', async () => {
    const room = await openRoom([], undefined, { limits: LIMITS });
    const large = await room.artifacts.make(making());
    await large.write(Buffer.alloc(600));
    await expect(large.write(Buffer.alloc(1))).rejects.toThrow(code('TASK_QUOTA'));
    await large.abort();
    const first = await made(room, 600);
    const second = await room.artifacts.make(making());
    await expect(second.write(Buffer.alloc(401))).rejects.toThrow(code('TASK_QUOTA'));
    await second.write(Buffer.alloc(400));
    await second.finish();
    await made(room, 0);
    await expect(room.artifacts.make(making())).rejects.toThrow(code('TASK_QUOTA'));
    await room.artifacts.remove(first);
    await made(room, 600);
  });

  it.each([10, 900])('may be as large as whoever makes them says (%i bytes)', async (maxBytes) => {
    const room = await openRoom([], undefined, { limits: LIMITS });
    const sink = await room.artifacts.make({ ...making(), maxBytes });
    await sink.write(Buffer.alloc(maxBytes));
    await expect(sink.write(Buffer.alloc(1))).rejects.toThrow(code('TASK_QUOTA'));
    await sink.abort();
  });

  it('are there behind a restart, and what was not finished is swept', async () => {
    const before = await openRoom([]);
    const id = await made(before, 10);
    const torn = await before.artifacts.make(making());
    await torn.write(Buffer.alloc(10));
    before.drop();
    expect(filesOf(before)).toHaveLength(2);
    writeFileSync(join(before.folder, 'packages', 'f'.repeat(24)), 'whole, and without its row');
    const after = await openRoom([], before.folder);
    expect(filesOf(after)).toEqual([id]);
    expect(after.artifacts.list()).toMatchObject([{ id, bytes: 10, about: { address: '::1' } }]);
    await torn.abort();
  });

  it('whose file was cut or is gone are gone', async () => {
    const before = await openRoom([]);
    const [cut, whole] = [await made(before, 10), await made(before, 10)];
    before.drop();
    writeFileSync(join(before.folder, 'packages', cut), 'short');
    const after = await openRoom([], before.folder);
    expect(after.artifacts.list().map(({ id }) => id)).toEqual([whole]);
    expect(filesOf(after)).toEqual([whole]);
  });

  it('stay readable for who reads them when they are removed', async () => {
    const room = await openRoom([]);
    const id = await made(room, 10);
    const file = await room.artifacts.read(id);
    await room.artifacts.remove(id);
    expect((await file.readFile('utf8')).length).toBe(10);
    await file.close();
    await expect(room.artifacts.read(id)).rejects.toThrow(code('ARTIFACT_NOT_FOUND'));
  });

  it('are all gone when their time is over, a thousand of them', async () => {
    const clocks = { now: 0, steadyMs: () => clocks.now, wallMs: () => Date.now() + clocks.now };
    const room = await openRoom([], undefined, { clocks });
    for (let i = 0; i < 1000; i += 100) await Promise.all(Array.from({ length: 100 }, (_, k) => made(room, 1, HOUR + i + k)));
    expect(filesOf(room)).toHaveLength(1000);
    clocks.now = 2 * HOUR;
    const last = await room.artifacts.make(making('b.zip', HOUR));
    await last.finish();
    // The timer of the first of them was set in a time that has passed.
    room.artifacts.look();
    await expect.poll(() => filesOf(room)).toEqual([last.id]);
    expect(room.artifacts.list()).toHaveLength(1);
    expect(room.reports).toEqual([]);
  });

  it('that can not be written reject, and leave nothing', async () => {
    const room = await openRoom([]);
    const sink = await room.artifacts.make({ ...making(), about: { big: 1n as unknown as string } });
    await sink.write(Buffer.from('x'));
    await expect(sink.finish()).rejects.toThrow();
    expect(filesOf(room)).toEqual([]);
    expect(room.artifacts.list()).toEqual([]);
  });
});
