/** Captures by libpcap: the same packets, losses and ends as by packet sockets. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { canCapture, Capture, command, freshFolder, interfaceStatus, Network, pause, run, status, until } from './live.js';
import { programFile } from './program-file.js';
import { numberOf, packetsOf, sealedPackets, storedNumbers, upTo } from './segments.js';

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a capture by libpcap', () => {
  it('stores every packet once, with its tag, cut and filtered by us', async () => {
    if (!requireOrSkip('tcpdump', hasProgram('tcpdump'))) return;
    const network = new Network();
    const folder = freshFolder();
    const program = programFile('vlan and udp src port 1003', join(folder, 'program'));
    const flags = ['--interface', 'va', '--interface', 'vb', '--libpcap', '--program', program, '--snap', '64'];
    const capture = await Capture.start(network, folder, flags);
    expect(await interfaceStatus(folder)).toMatchObject({ method: 'libpcap', kernel_filter: false, hardware_timestamps: false });
    await network.send({ count: 10_000, rate: 40_000, size: 100 });
    await network.send({ count: 1000, first: 10_000, vlan: 42 });
    await pause(600);
    expect(await capture.stop()).toBe(0);
    const tagged = upTo(10_000, 1000).filter((number) => number % 97 === 3);
    for (const name of ['0-va', '1-vb']) {
      const packets = sealedPackets(join(folder, name));
      expect(packets.map(numberOf)).toEqual(tagged);
      expect(new Set(packets.map(({ caplen, wirelen }) => `${caplen} ${wirelen}`))).toEqual(new Set(['64 104']));
      expect(Math.abs(Number(packets.at(-1)?.time ?? 0n) / 1e6 - Date.now())).toBeLessThan(60_000);
    }
  });

  it('loses nothing of what came before it was ended', async () => {
    for (let round = 0; round < 5; round++) {
      const network = new Network();
      const folder = freshFolder();
      const capture = await Capture.start(network, folder, ['--interface', 'vb', '--libpcap']);
      const sent = await network.send({ count: 20_000, rate: 100_000 });
      expect(await capture.stop()).toBe(0);
      expect(storedNumbers(join(folder, '0-vb'))).toEqual(upTo(0, sent));
    }
  });

  it('counts what its ring had no room for: sent is stored and lost', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'vb', '--libpcap', '--ring-bytes', String(2 << 20)]);
    process.kill(capture.pid, 'SIGSTOP');
    const sent = await network.send({ count: 40_000, size: 1000 });
    process.kill(capture.pid, 'SIGCONT');
    await until(async () => (await interfaceStatus(folder)).lost.ring > 0);
    await pause(600);
    const { lost } = await interfaceStatus(folder);
    await capture.stop();
    expect(lost.ring).toBeGreaterThan(1000);
    expect(storedNumbers(join(folder, '0-vb')).length + lost.ring).toBe(sent);
  });

  it('takes what is no network interface, without being asked', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'any']);
    expect(await interfaceStatus(folder)).toMatchObject({ method: 'libpcap', link_type: 113 });
    await network.send({ count: 500 });
    await pause(600);
    await capture.stop();
    // Both ends of the pair.
    const path = join(folder, '0-any', '0000000000000001.pcapng');
    expect(packetsOf(readFileSync(path))).toHaveLength(1000);
    if (!requireOrSkip('tshark', hasProgram('tshark'))) return;
    const { stdout } = await run('tshark', ['-r', path, '-T', 'fields', '-e', 'udp.srcport', '-Y', 'sll.pkttype == 4']);
    expect(stdout.trim().split('\n').slice(0, 2)).toEqual(['1000', '1001']);
  });

  it('refuses what is not there as before, and a filter that is not for it', async () => {
    const network = new Network();
    await expect(Capture.start(network, freshFolder(), ['--interface', 'none0', '--libpcap'])).rejects.toThrow(
      /none0 can't be captured: .*\[INTERFACE_NOT_FOUND\]/,
    );
    await expect(Capture.start(network, freshFolder(), ['--interface', 'none0'])).rejects.toThrow(
      /there is no interface none0 \[INTERFACE_NOT_FOUND\]/,
    );
    if (!requireOrSkip('tcpdump', hasProgram('tcpdump'))) return;
    const folder = freshFolder();
    const program = programFile('udp', join(folder, 'program'));
    await expect(Capture.start(network, folder, ['--interface', 'any', '--libpcap', '--program', program])).rejects.toThrow(
      /the program is for Ethernet, and any has link type 113 \[INTERFACE_UNSUPPORTED\]/,
    );
  });

  it('goes on when its interface goes down, and says so when it is gone', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'vb', '--interface', 'lo', '--libpcap']);
    await network.send({ count: 100 });
    network.ip('link', 'set', 'vb', 'down');
    await until(async () => (await interfaceStatus(folder)).state === 'link_down');
    network.ip('link', 'set', 'vb', 'up');
    await until(async () => (await interfaceStatus(folder)).state === 'capturing');
    await pause(200);
    await network.send({ count: 100, first: 100 });
    await pause(600);
    await command(folder, 'seal');
    expect(storedNumbers(join(folder, '0-vb'))).toEqual(upTo(0, 200));
    network.ip('link', 'del', 'va');
    await until(async () => (await interfaceStatus(folder)).state === 'link_gone');
    const { interfaces } = await status(folder);
    expect(interfaces[1]?.state).toBe('capturing');
    await network.send({ count: 50, on: 'lo' });
    await pause(600);
    expect(await capture.stop()).toBe(0);
    expect(storedNumbers(join(folder, '1-lo'))).toEqual(upTo(0, 50));
  });
});
