/** Which interfaces belong to which group, also where numbers meet. */
import { mkdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { NetworkInterface } from '../../src/capture/network.js';
import { CaptureSettings } from '../../src/capture/settings.js';
import { FIRST_OWN, OTHERS, Vifgs } from '../../src/capture/vifgs.js';
import { TemporaryData } from '../export/fakes.js';

const data = new TemporaryData();
mkdirSync(data.path, { recursive: true });
afterAll(() => data.remove());
const there: NetworkInterface[] = [
  { name: 'lo', index: 1, hardwareType: 772 },
  { name: 'eth0', index: 2, hardwareType: 1 },
];
const settings = new CaptureSettings(data.path);
const vifgs = new Vifgs(settings, () => there);
const members = async (): Promise<Record<number, string[]>> => Object.fromEntries((await vifgs.list()).map(({ id, members }) => [id, members]));
const code = (wanted: string): unknown => expect.objectContaining({ code: wanted });
const wish = { name: undefined, description: '', enabled: true };

describe('groups', () => {
  it('are one for each interface, and one for all others', async () => {
    expect(await members()).toEqual({ 1: ['lo'], 2: ['eth0'], [OTHERS]: [] });
    expect(await vifgs.interfacesOf('2')).toEqual(['eth0']);
    await expect(vifgs.interfacesOf(`${OTHERS}`)).rejects.toEqual(code('SOURCE_EMPTY'));
    for (const name of ['3', 'eth0', '', '-1', '1.0', '99999999999'])
      await expect(vifgs.interfacesOf(name)).rejects.toEqual(code('SOURCE_NOT_FOUND'));
  });

  it('of users take members from their own groups', async () => {
    const { id } = await vifgs.create({ ...wish, members: ['eth0'] });
    expect(id).toBe(FIRST_OWN);
    expect(await members()).toEqual({ 1: ['lo'], 2: [], [OTHERS]: [], [id]: ['eth0'] });
    await expect(vifgs.interfacesOf('2')).rejects.toEqual(code('SOURCE_EMPTY'));
    await expect(vifgs.create({ ...wish, members: ['lo', 'eth0'] })).rejects.toEqual(code('INTERFACE_TAKEN'));
    const second = await vifgs.create({ ...wish, members: [] });
    expect(second).toMatchObject({ id: id + 1, name: `vifg ${id + 1}` });
    await expect(vifgs.replace(second.id, { ...wish, members: ['eth0'], isOther: false })).rejects.toEqual(code('INTERFACE_TAKEN'));
    await vifgs.remove(second.id);
  });

  it('keep members that are gone', async () => {
    const eth0 = there.pop()!;
    const group = await vifgs.get(FIRST_OWN);
    expect(group.members).toEqual(['eth0']);
    expect(await vifgs.replace(FIRST_OWN, { ...group, isOther: undefined })).toEqual(group);
    there.push(eth0);
  });

  it('whose number another group has hold nothing: their interfaces belong to all others', async () => {
    there.push({ name: 'veth9', index: FIRST_OWN, hardwareType: 1 }, { name: 'veth8', index: OTHERS, hardwareType: 1 });
    expect(await members()).toEqual({ 1: ['lo'], 2: [], [OTHERS]: ['veth9', 'veth8'], [FIRST_OWN]: ['eth0'] });
    expect(await vifgs.interfacesOf(`${OTHERS}`)).toEqual(['veth9', 'veth8']);
    there.splice(2);
  });

  it('keep a change, and what was said before, when another one is refused', async () => {
    const before = await settings.read();
    await expect(vifgs.remove(1)).rejects.toEqual(code('VIFG_FIXED'));
    await expect(vifgs.get(7)).rejects.toEqual(code('VIFG_NOT_FOUND'));
    expect(await settings.read()).toEqual(before);
    await Promise.all(['a', 'b', 'c'].map((name) => vifgs.create({ ...wish, name, members: [] })));
    expect((await settings.read()).ownGroups.map(({ name }) => name)).toEqual([`vifg ${FIRST_OWN}`, 'a', 'b', 'c']);
  });
});
