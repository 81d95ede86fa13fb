/** What becomes of an export whose tshark is not what it should be: a code and a sentence, no output, and no process. */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../../src/dissect/child.js';
import { RunawayWatch } from '../../src/dissect/runaway.js';
import { checkDissected, theTshark } from '../../src/dissect/tshark.js';
import { MAX_CHECKS, type DissectLimits } from '../../src/dissect/limits.js';
import { prepareExport } from '../../src/engine/export.js';
import type { SpillwayError } from '../../src/errors.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { pcapFile } from '../support/build.js';
import { descriptors } from '../support/descriptors.js';
import { MemorySink, request, runExport } from '../support/engine.js';
import { traffic } from '../support/oracle.js';
import { temporaryFolder } from '../support/temporary.js';
import { fakes, REAL_VERSION, running, tsharks } from './fake.js';

const folder = temporaryFolder();
const script = fakes();
let path: string;
beforeAll(() => (path = folder.write('traffic.pcap', traffic())));

const dissected = (text: string) => ({ filters: [{ language: 'wireshark' as const, text }] });
let asked = 0;

/** How an export ends: its error, and what of it still runs. */
async function endOf(limits: Partial<DissectLimits> = {}): Promise<{ code: string; message: string; left: string[]; finished: boolean }> {
  const text = `frame.number == ${4_000_000_000 + asked++}`;
  const sink = new MemorySink();
  const prepared = await prepareExport(request(path, dissected(text)), { dissect: limits });
  const { code, message } = (await prepared.run(sink).then(
    () => ({ code: 'none', message: '' }),
    (error: unknown) => error,
  )) as SpillwayError;
  return { code, message, left: running(text), finished: sink.finished || !sink.aborted };
}

const READ = 'cat > /dev/null';

describe('a run of what stands in for tshark', () => {
  it.each<[name: string, run: string, code: string, message: string, limits?: Partial<DissectLimits>]>([
    ['exits with a word', `${READ}; echo boom >&2; exit 2`, 'DISSECTOR_FAILED', 'exit code 2: boom'],
    ['exits at once', 'exit 3', 'DISSECTOR_FAILED', 'exit code 3'],
    ['crashes', `${READ}; kill -SEGV $$`, 'DISSECTOR_FAILED', 'SIGSEGV'],
    ['reads nothing and is content', 'exit 0', 'DISSECTOR_FAILED', 'before it had read all packets'],
    ['reads some and is content', 'head -c 1000 > /dev/null; exit 0', 'DISSECTOR_FAILED', 'before it had read all packets'],
    ['reads nothing, ever', 'sleep 1000', 'DISSECTOR_LIMIT', 'for 0.3 s', { silenceMs: 300 }],
    ['never ends', `${READ}; sleep 1000`, 'DISSECTOR_LIMIT', 'for 0.3 s', { silenceMs: 300 }],
    ['works for ever', `${READ}; while :; do :; done`, 'DISSECTOR_LIMIT', 'processor time', { cpuSeconds: 1 }],
    ['works for ever on one packet', `${READ}; while :; do :; done`, 'DISSECTOR_LIMIT', 'for 0.3 s', { silenceMs: 300 }],
    ['says the same for ever', 'exec yes 1', 'DISSECTOR_FAILED', 'do not ascend'],
    ['counts for ever', 'exec seq 1 1000000000', 'DISSECTOR_FAILED', 'not given'],
    ['says what is no number', `${READ}; echo 12 packets`, 'DISSECTOR_FAILED', 'no frame number'],
    ['says a number without an end', `${READ}; exec tr '\\0' 7 < /dev/zero`, 'DISSECTOR_FAILED', 'no frame number'],
    ['says an empty line', `${READ}; echo`, 'DISSECTOR_FAILED', 'do not ascend'],
    ['stops inside a number', `${READ}; printf 12`, 'DISSECTOR_FAILED', 'in the middle'],
    ['goes back', `${READ}; echo 5; echo 4`, 'DISSECTOR_FAILED', 'do not ascend'],
    ['names a packet behind the last', `${READ}; echo 3001`, 'DISSECTOR_FAILED', 'packet 3001 of 3000'],
    ['complains without an end', `${READ}; head -c 10000000 /dev/zero >&2; exit 1`, 'DISSECTOR_FAILED', 'exit code 1'],
  ])('that %s', async (_, run, code, message, limits) => {
    script(run);
    const end = await endOf(limits);
    expect(end).toMatchObject({ code, left: [], finished: false });
    expect(end.message).toContain(message);
  });

  it('gets the answer of one that is right', async () => {
    script(`${READ}; echo 1; echo 3000`);
    const { receipt } = await runExport(request(path, dissected('any')));
    expect(receipt).toMatchObject({ packets_exported: 2n, left_out: { filter: 2998n } });
  });

  it('has no rights, and nothing of ours but what it is to have', async () => {
    script(`grep -E '^(Uid|Groups|NoNewPrivs|CapInh|CapPrm|CapEff|CapAmb)' /proc/self/status | tr -s '\\n\\t ' ' ' >&2; exit 1`);
    const { message } = await endOf();
    const uid = process.getuid!() === 0 ? 65534 : process.getuid!();
    const none = '0000000000000000';
    expect(message).toContain(`Uid: ${uid} ${uid} ${uid} ${uid} `);
    expect(message).toContain(`CapInh: ${none} CapPrm: ${none} CapEff: ${none}`);
    expect(message).toContain('NoNewPrivs: 1');
    script('{ env; ulimit -c; ulimit -f; ls /proc/self/fd; } | sort | tr "\\n" " " >&2; exit 1');
    const told = (await endOf()).message;
    for (const word of ['HOME=/nonexistent', 'TZ=UTC', 'LC_ALL=C.UTF-8', 'WIRESHARK_CONFIG_DIR=/nonexistent']) expect(told).toContain(word);
    expect(told).not.toContain('SPILLWAY');
  });

  it.runIf(process.getuid!() === 0)('could not get any, started by root', async () => {
    script(`grep -E '^(CapBnd|Groups)' /proc/self/status | tr -s '\\n\\t ' ' ' >&2; exit 1`);
    expect((await endOf()).message).toMatch(/Groups: CapBnd: 0000000000000000$/);
  });

  it('ends with its export, and all that it started', async () => {
    script('sleep 1001 & sleep 1001');
    const stopper = new AbortController();
    const sink = new MemorySink();
    const prepared = await prepareExport(request(path, dissected('any')));
    const run = prepared.run(sink, { signal: stopper.signal });
    run.catch(() => undefined);
    await expect.poll(() => running('sleep\x001001').length, { timeout: 5000 }).toBe(2);
    stopper.abort();
    await expect(run).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sink).toMatchObject({ aborted: true, finished: false });
    await expect.poll(() => running('sleep\x001001')).toEqual([]);
  });
});

describe('looks at filters', () => {
  it('are some at once, and the others come when there is room', async () => {
    const stand = script(READ);
    writeFileSync(stand, `#!/bin/bash\n[ "$1" = --version ] && { ${REAL_VERSION}\nexit; }\ncat > /dev/null\nsleep 0.1\n`);
    await theTshark();
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, tsharks().length)), 10);
    await Promise.all(Array.from({ length: 3 * MAX_CHECKS }, (_, i) => checkDissected(`frame.number == ${i}`)));
    clearInterval(watching);
    expect(most).toBeLessThanOrEqual(MAX_CHECKS);
    expect(most).toBeGreaterThan(1);
  });

  it('give their place back where they fail', async () => {
    process.env['SPILLWAY_TSHARK'] = '/nonexistent/tshark';
    for (let i = 0; i < 2 * MAX_CHECKS; i++) await expect(checkDissected('ip')).rejects.toMatchObject({ code: 'DISSECTOR_MISSING' });
  });
});

describe('a process that can not be started', () => {
  const told = (args: string[], path: string) => new Child({ path, args }, 1000, () => undefined);
  it('leaves no pipe open', async () => {
    const before = descriptors('pipe:').length;
    expect(() => told(['\0'], '/bin/true')).toThrow(expect.objectContaining({ code: 'DISSECTOR_FAILED' }));
    await expect(told([], '/nonexistent/x').ended).rejects.toMatchObject({ code: 'DISSECTOR_FAILED' });
    await expect.poll(() => descriptors('pipe:').length).toBe(before);
  });

  it('closes no descriptor of somebody else', async () => {
    await expect(told([], '/nonexistent/x').ended).rejects.toMatchObject({ code: 'DISSECTOR_FAILED' });
    const taken = Array.from({ length: 8 }, () => openSync('/dev/null', 'r'));
    // Its streams are closed behind its error, in some turns of the loop.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(() => taken.forEach((fd) => closeSync(fd))).not.toThrow();
  });
});

describe('what is heard of an expression that runs away', () => {
  const line = ' ** (tshark:7) [(none) DEBUG] ./wsutil/regex.c:131 -- match_pcre2(): Unexpected pcre2_match() error: match limit exceeded.\n';
  it('does not depend on where its line is cut', () => {
    for (let at = 0; at <= line.length; at++) {
      const watch = new RunawayWatch();
      const heard = [watch.hears('x'.repeat(500)), watch.hears(line.slice(0, at)), watch.hears(line.slice(at))];
      expect(heard.slice(1)).toContain(true);
      expect(heard[0]).toBe(false);
    }
  });
});

describe('what stands in for tshark before it runs', () => {
  it.each([
    ['another version', 'echo "TShark (Wireshark) 3.6.2 (Git v3.6.2)."', 'DISSECTOR_VERSION', 'version 3.6.2'],
    ['a later one', 'echo "TShark (Wireshark) 5.0.0."', 'DISSECTOR_VERSION', 'version 5.0.0'],
    ['something else', 'echo "GNU bash"', 'DISSECTOR_VERSION', 'does not say'],
    ['nothing', 'exit 0', 'DISSECTOR_VERSION', 'does not say'],
    ['a failure', 'echo "libwireshark.so.16: not found" >&2; exit 127', 'DISSECTOR_FAILED', 'libwireshark.so.16: not found'],
  ])('says %s', async (_, version, code, message) => {
    script(READ, version);
    await expect(theTshark()).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('is missing', async () => {
    process.env['SPILLWAY_TSHARK'] = '/nonexistent/tshark';
    await expect(checkDissected('ip')).rejects.toMatchObject({ code: 'DISSECTOR_MISSING', message: expect.stringContaining('/nonexistent/tshark') });
  });

  it('is another one by now', async () => {
    script(READ, 'echo "TShark (Wireshark) 4.2.0."');
    expect((await theTshark()).version).toBe('4.2.0');
    script(READ, REAL_VERSION);
    expect((await theTshark()).version).toBe('4.0.17');
  });
});

describe.runIf(requireOrSkip('tshark', hasProgram('tshark')))('tshark itself', () => {
  const refused: [text: string, code: string, message: string, column: string | undefined][] = [
    ['', 'FILTER_INVALID', 'is empty', undefined],
    [' \t\n', 'FILTER_INVALID', 'is empty', undefined],
    ['ip\0', 'FILTER_INVALID', 'control character', '3'],
    ['ip\x1b[0m', 'FILTER_INVALID', 'control character', '3'],
    ['ip.src == "\ud800"', 'FILTER_INVALID', 'Unicode', undefined],
    ['x'.repeat(1 << 20), 'FILTER_TOO_COMPLEX', '1048576 bytes', undefined],
    ['ip.src = ', 'FILTER_INVALID', '', undefined],
    ['--version', 'FILTER_INVALID', 'refused', undefined],
    ['-r /etc/passwd', 'FILTER_INVALID', 'refused', undefined],
    ['$(id)', 'FILTER_INVALID', 'refused', undefined],
    ['ip; id', 'FILTER_INVALID', 'refused', undefined],
    ['(ip', 'FILTER_INVALID', 'refused', undefined],
    ['ip) or (tcp', 'FILTER_INVALID', 'refused', '3'],
    ['ip.addr == www.example.com', 'FILTER_INVALID', 'hostname', undefined],
    ['ip.addr == 10.0.0.300', 'FILTER_INVALID', '10.0.0.300', '12'],
    ['tcp.port == "x', 'FILTER_INVALID', 'quote', undefined],
    ['no.such.field', 'FILTER_INVALID', 'no.such.field', '1'],
    ['('.repeat(30_000) + 'ip' + ')'.repeat(30_000), 'FILTER_INVALID', 'refused', undefined],
    ['frame matches "("', 'FILTER_INVALID', 'Regex', undefined],
  ];
  it.each(refused.map(([text, ...wanted]) => [JSON.stringify(text).slice(0, 30), text, ...wanted] as const))(
    'refuses %s',
    async (_, text, code, message, column) => {
      const error = (await checkDissected(text).then(
        () => null,
        (caught: unknown) => caught,
      )) as SpillwayError | null;
      expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
      if (column !== undefined) expect(error!.metrics).toEqual({ column });
    },
  );

  it('gets no more memory than it may have', async () => {
    const asked = request(path, dissected('frame.number == 1'));
    await expect(runExport(asked, {}, { dissect: { memoryBytes: 100 << 20 } })).rejects.toMatchObject({
      code: 'DISSECTOR_LIMIT',
      message: expect.stringContaining('100 MiB'),
    });
  });

  it('gets no more processor time than it may have, by an expression that is slow on each of many packets', async () => {
    const slow = Array.from({ length: 100 }, (_, i) => ({ seconds: i, fraction: 0, data: Buffer.from(`${'\0'.repeat(14)}${'a'.repeat(20)}!`) }));
    const asked = request(folder.write('slow.pcap', pcapFile(slow)), dissected('frame matches "(a+)+$"'));
    await expect(runExport(asked, {}, { dissect: { cpuSeconds: 1 } })).rejects.toMatchObject({
      code: 'DISSECTOR_LIMIT',
      message: expect.stringContaining('1 s of processor time'),
    });
    expect(tsharks()).toEqual([]);
  });

  it('gets several filters as one, each whole', async () => {
    const both = request(path, {
      filters: [...dissected('frame.number < 3 or frame.number == 9').filters, ...dissected('frame.number > 1').filters],
    });
    expect((await runExport(both)).receipt.packets_exported).toBe(2n);
    const asked = request(path, {
      filters: Array.from({ length: 3 }, (_, i) => ({ language: 'wireshark' as const, text: `frame.number == ${i}${' '.repeat(30_000)}` })),
    });
    await expect(runExport(asked)).rejects.toMatchObject({ code: 'FILTER_TOO_COMPLEX', message: expect.stringContaining('together') });
  });
});
