/** Packets on virtual interfaces come to be stored, each once, as they were on the wire. */
import { spawnSync } from 'node:child_process';
import { chownSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { canCapture, CAPTURE, Capture, command, freshFolder, interfaceStatus, Network, pause, run, status, until } from './live.js';
import { programFile } from './program-file.js';
import { marksOf, numberOf, packetsOf, sealedNames, sealedPackets, storedNumbers, upTo } from './segments.js';

const folderOf = (folder: string, name: string): string => join(folder, name);

describe.runIf(requireOrSkip('root and network namespaces', canCapture()))('a live capture', () => {
  it('stores every packet once, on both ends of a pair, in their order', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'va', '--interface', 'vb']);
    await network.send({ count: 20_000, rate: 40_000, size: 200 });
    await pause(300);
    expect(await capture.stop()).toBe(0);
    for (const name of ['0-va', '1-vb']) {
      const packets = sealedPackets(folderOf(folder, name));
      expect(packets.map(numberOf)).toEqual(upTo(0, 20_000));
      expect(new Set(packets.map(({ caplen, wirelen }) => `${caplen} ${wirelen}`))).toEqual(new Set(['200 200']));
      const seconds = Number((packets.at(-1)?.time ?? 0n) - (packets[0]?.time ?? 0n)) / 1e9;
      expect(seconds).toBeGreaterThan(0.45);
      expect(Math.abs(Number(packets.at(-1)?.time ?? 0n) / 1e6 - Date.now())).toBeLessThan(60_000);
    }
  });

  it('skips the outgoing copies on lo', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'lo']);
    await network.send({ count: 100, on: 'lo' });
    await pause(300);
    await capture.stop();
    expect(storedNumbers(folderOf(folder, '0-lo'))).toEqual(upTo(0, 100));
  });

  it('opens in Wireshark’s tools, with its counts', async () => {
    if (!requireOrSkip('capinfos', hasProgram('capinfos'))) return;
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'vb']);
    await network.send({ count: 500 });
    await pause(300);
    await capture.stop();
    const path = join(folderOf(folder, '0-vb'), '0000000000000001.pcapng');
    const { stdout } = await run('capinfos', [path]);
    expect(stdout).toMatch(/Number of packets:\s+500\n/);
    expect(stdout).toMatch(/Capture application: spillway-capture /);
    expect(stdout).toMatch(/Time precision = nanoseconds/);
    expect(stdout).toMatch(/Number of stat entries = 1/);
    const { stdout: rows } = await run('tshark', ['-r', path, '-T', 'fields', '-e', 'udp.srcport', '-c', '3']);
    expect(rows.trim().split('\n')).toEqual(['1000', '1001', '1002']);
  });

  it('puts VLAN tags back where the kernel took them out', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'vb']);
    await network.send({ count: 10, vlan: 42, size: 100 });
    await network.send({ count: 10, first: 10, size: 100 });
    await pause(300);
    await capture.stop();
    const packets = sealedPackets(folderOf(folder, '0-vb'));
    expect(packets.map(numberOf)).toEqual(upTo(0, 20));
    expect(packets.map(({ caplen, wirelen }) => [caplen, wirelen])).toEqual([
      ...Array.from({ length: 10 }, () => [104, 104]),
      ...Array.from({ length: 10 }, () => [100, 100]),
    ]);
    expect(packets[0]?.data.readUInt32BE(12)).toBe(0x8100002a);
  });

  it('runs the job’s program on the frame as it was on the wire', async () => {
    if (!requireOrSkip('tcpdump', hasProgram('tcpdump'))) return;
    // Ports are 1000 + number % 97. Numbers below 1,000 are sent without a tag, those above in VLAN 42 and in VLAN 7.
    const [untagged, tagged, other] = [upTo(0, 1000), upTo(1000, 1000), upTo(2000, 1000)];
    const port = (p: number) => (n: number) => 1000 + (n % 97) === p;
    const all = [...untagged, ...tagged, ...other];
    const wanted: [string, number[]][] = [
      ['udp port 1003', untagged.filter(port(1003))],
      ['vlan 42', tagged],
      ['vlan and udp src port 1003', [...tagged, ...other].filter(port(1003))],
      ['udp src port 1005 or (vlan 7 and udp src port 1003)', [...untagged.filter(port(1005)), ...other.filter(port(1003))]],
      ['not udp', [...tagged, ...other]],
      ['less 100', untagged],
      ['ip', untagged],
      ['ether proto 0x8100', [...tagged, ...other]],
      ['host 10.0.0.9', []],
    ];
    for (const [expression, numbers] of wanted) {
      const network = new Network();
      const folder = freshFolder();
      const program = programFile(expression, join(folder, 'program'));
      const capture = await Capture.start(network, folder, ['--interface', 'vb', '--program', program, '--snap', '64']);
      expect((await interfaceStatus(folder)).kernel_filter).toBe(true);
      await network.send({ count: 1000, size: 100 });
      await network.send({ count: 1000, first: 1000, vlan: 42 });
      await network.send({ count: 1000, first: 2000, vlan: 7 });
      await pause(300);
      await capture.stop();
      const packets = sealedPackets(folderOf(folder, '0-vb'));
      expect(packets.map(numberOf), expression).toEqual(numbers);
      for (const { caplen, wirelen, data } of packets) {
        expect(caplen).toBe(64);
        expect(wirelen).toBe(data.readUInt16BE(12) === 0x8100 ? 104 : 100);
      }
    }
    expect(all.length).toBe(3000);
  });

  it('makes a packet visible within half a second, and the part readable up to there', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'vb']);
    const own = folderOf(folder, '0-vb');
    const delays: number[] = [];
    for (let n = 0; n < 8; n++) {
      await pause(37 * n);
      const before = Date.now();
      await network.send({ count: 1, first: n });
      await until(() => marksOf(own).packets === BigInt(n + 1), 3000);
      delays.push(Date.now() - before);
      const part = readFileSync(join(own, '0000000000000001.pcapng.part')).subarray(0, Number(marksOf(own).visibleBytes));
      expect(packetsOf(part).map(numberOf)).toEqual(upTo(0, n + 1));
    }
    // The law is 500 ms; starting the sender is in it, too, and a busy machine may be slow once.
    expect(delays.sort((a, b) => a - b)[4]).toBeLessThan(600);
    await capture.stop();
  });

  it('makes what is visible durable with every commit where that is asked for', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'vb', '--fsync', 'commit']);
    const own = folderOf(folder, '0-vb');
    await network.send({ count: 100 });
    await until(() => marksOf(own).packets === 100n);
    await until(() => marksOf(own).durableBytes === marksOf(own).visibleBytes);
    await capture.stop();
  });

  it('answers commands on a socket that is the owner’s alone', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'vb', '--retain-bytes', '100000000']);
    expect(statSync(join(folder, 'control.sock')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(`${capture.pid}\n`);
    await network.send({ count: 10 });
    await until(async () => (await interfaceStatus(folder)).packets === 10);
    expect(await command(folder, 'seal')).toEqual({ ok: true });
    expect(sealedNames(folderOf(folder, '0-vb'))).toHaveLength(1);
    expect(await command(folder, 'seal')).toEqual({ ok: true }); // nothing is open
    expect(sealedNames(folderOf(folder, '0-vb'))).toHaveLength(1);
    expect((await status(folder)).segments).toBe(1);
    expect(await command(folder, 'retain 1 0')).toMatchObject({ ok: true, stored_bytes: 0 });
    expect(sealedNames(folderOf(folder, '0-vb'))).toHaveLength(0);
    for (const line of ['', 'STATUS', 'retain', 'retain 1', 'retain x 0', 'retain 1 -1', 'retain 1 2 3', 'status '])
      expect(await command(folder, line), line).toMatchObject({ ok: false, error_id: 'REQUEST_INVALID' });
    await expect(command(folder, 'x'.repeat(1000))).rejects.toThrow();
    expect(await command(folder, 'stop')).toEqual({ ok: true });
    expect(await capture.ended()).toBe(0);
    expect(() => statSync(join(folder, 'control.sock'))).toThrow();
  });

  it('has no privilege left in any thread, and few system calls', async () => {
    const network = new Network();
    const folder = freshFolder();
    const capture = await Capture.start(network, folder, ['--interface', 'va', '--interface', 'vb']);
    const threads = spawnSync('ls', [`/proc/${capture.pid}/task`], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    expect(threads).toHaveLength(1 + 2 * 3);
    for (const thread of threads) {
      const text = readFileSync(`/proc/${capture.pid}/task/${thread}/status`, 'utf8');
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(text).toMatch(new RegExp(`^${set}:\t0+$`, 'm'));
      expect(text).toMatch(/^NoNewPrivs:\t1$/m);
      expect(text).toMatch(/^Seccomp:\t2$/m);
    }
    await network.send({ count: 100 });
    await pause(600);
    await capture.stop();
    expect(storedNumbers(folderOf(folder, '1-vb'))).toEqual(upTo(0, 100));
    expect(capture.stderr()).not.toMatch(/not permitted/);
  });

  it('gives up root for the user to whom the folder belongs', async () => {
    const network = new Network();
    const place = freshFolder();
    chownSync(place, 65534, 65534);
    const folder = join(place, 'job');
    const capture = await Capture.start(network, folder, ['--interface', 'vb', '--user', '65534:65534']);
    expect(readFileSync(`/proc/${capture.pid}/status`, 'utf8')).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    await network.send({ count: 100 });
    await pause(300);
    await capture.stop();
    expect(storedNumbers(folderOf(folder, '0-vb'))).toEqual(upTo(0, 100));
    for (const path of ['.', 'lock', join('0-vb', '0000000000000001.pcapng')])
      expect(statSync(join(folder, path))).toMatchObject({ uid: 65534, gid: 65534 });
  });

  it('touches nothing with the rights of root where it has another user', () => {
    const place = freshFolder();
    chownSync(place, 65534, 65534);
    const secret = freshFolder();
    writeFileSync(join(secret, 'program'), Buffer.from([6, 0, 0, 0, 0, 0, 4, 0]));
    symlinkSync(secret, join(place, 'job'));
    const refused = (...flags: string[]): string =>
      spawnSync(CAPTURE, ['--folder', join(place, 'job'), '--interface', 'lo', '--user', '65534:65534', ...flags], { encoding: 'utf8' }).stderr;
    expect(refused()).toMatch(/Permission denied \[CAPTURE_FOLDER_UNUSABLE\]/);
    expect(refused('--program', join(place, 'job', 'program'))).toMatch(/Permission denied \[PROGRAM_INVALID\]/);
    rmSync(join(place, 'job'));
    symlinkSync(join(secret, 'new'), join(place, 'job'));
    expect(refused()).toMatch(/\[CAPTURE_FOLDER_UNUSABLE\]/);
    expect(readdirSync(secret)).toEqual(['program']);
    expect(statSync(secret).uid).toBe(0);
  });
});
