/** What is in a package, also when collectors, the sink or whoever asked for it fail. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BUNDLE_FORMATS } from '../../src/bundle/bundle.js';
import { SpillwayError } from '../../src/errors.js';
import { hasProgram, requireOrSkip } from '../setup/require.js';
import { temporaryFolder } from '../support/temporary.js';
import { ABOUT, collector, lines, MemorySink, packed, tool, unpacked } from './packages.js';

const folder = temporaryFolder();

const some = [
  collector('a/value.json', () => Promise.resolve({ user: 'ann', password: 'hush', list: [1, 'zwölf'] })),
  collector('b.log', () => lines('one\ntw', 'o token=hush\n', 'three')),
  collector('c.json', () => Promise.resolve(1), { section: 'status' }),
];

describe.each(BUNDLE_FORMATS)('%s', (format) => {
  it('holds the files, a manifest that agrees with them and a page to read', async () => {
    const steps: [number, string][] = [];
    const { manifest, bytes } = await packed(some, { format, progress: (...step) => steps.push(step) });
    const files = await unpacked(bytes);
    expect([...files.keys()]).toEqual(['a/value.json', 'b.log', 'README.txt', 'manifest.json']);
    expect(JSON.parse(String(files.get('a/value.json')))).toEqual({ user: 'ann', password: '[removed]', list: [1, 'zwölf'] });
    expect(String(files.get('b.log'))).toBe('one\ntwo token=[removed]\nthree');
    expect(JSON.parse(String(files.get('manifest.json')))).toEqual(manifest);
    expect(manifest).toMatchObject({ format: 'spillway-diagnostic-package/1', about: ABOUT, wish: { verbosity: 'base', sections: [] } });
    for (const { file, sha256, bytes: size } of manifest.entries) {
      expect(createHash('sha256').update(files.get(file!)!).digest('hex')).toBe(sha256);
      expect(files.get(file!)!.length).toBe(size);
    }
    expect(String(files.get('README.txt'))).toMatch(/a\/value\.json +what a\/value\.json holds\n/);
    expect(steps).toEqual([
      [0, 'what a/value.json holds'],
      [0.5, 'what b.log holds'],
      [1, 'manifest'],
    ]);
  });

  it('asks the collectors of the sections that are wished, and tells them how much', async () => {
    const asked: string[] = [];
    const of = (section: 'status' | 'statistics') =>
      collector(`${section}.json`, async ({ verbosity }) => asked.push(`${section} ${verbosity}`), { section });
    await packed([of('statistics'), of('status')], { format, wish: { verbosity: 'verbose', sections: ['status'] } });
    expect(asked).toEqual(['status verbose']);
  });

  it('leaves notes of collectors that fail, and no more', async () => {
    const { manifest, bytes } = await packed(
      [
        collector('throws.json', () => {
          throw new Error('no token=hush');
        }),
        collector('rejects.json', () => Promise.reject(new SpillwayError('FILE_FAILED', 'the disk'))),
        collector('half.log', async function* () {
          yield 'half ';
          yield await Promise.reject(new Error('gone'));
        }),
        collector('circle.json', async () => {
          const circle: unknown[] = [];
          circle.push(circle);
          return circle;
        }),
        collector('function.json', async () => () => 1),
        collector('empty.log', () => lines()),
        collector('good.json', async () => 1),
      ],
      { format },
    );
    const files = await unpacked(bytes);
    expect([...files.keys()]).toEqual(['half.log', 'circle.json', 'function.json', 'good.json', 'README.txt', 'manifest.json']);
    expect(String(files.get('half.log'))).toBe('half ');
    expect(String(files.get('circle.json'))).toContain('too deep');
    expect(manifest.entries.map(({ file, truncated, note }) => [file, truncated, note])).toEqual([
      [null, undefined, 'failed: no token=[removed]'],
      [null, undefined, 'failed: the disk'],
      ['half.log', true, 'failed: gone'],
      ['circle.json', undefined, undefined],
      ['function.json', undefined, undefined],
      [null, undefined, undefined],
      ['good.json', undefined, undefined],
    ]);
  });

  it('waits for no collector longer than its time', async () => {
    let wasTold = false;
    const begun = performance.now();
    const { manifest, bytes } = await packed(
      [
        collector('deaf.json', () => new Promise(() => undefined), { maxMs: 50 }),
        collector(
          'slow.log',
          async function* ({ signal }) {
            signal.addEventListener('abort', () => (wasTold = true));
            yield 'begun\n';
            await new Promise(() => undefined);
          },
          { maxMs: 50 },
        ),
        collector(
          'endless.log',
          async function* () {
            for (;;) {
              yield 'x';
              await new Promise(setImmediate);
            }
          },
          { maxMs: 50 },
        ),
      ],
      { format },
    );
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(wasTold).toBe(true);
    expect(manifest.entries.map(({ file, truncated, note }) => [file, truncated, note])).toEqual([
      [null, undefined, 'out of time after 50 ms'],
      ['slow.log', true, 'out of time after 50 ms'],
      ['endless.log', true, 'out of time after 50 ms'],
    ]);
    expect(String((await unpacked(bytes)).get('slow.log'))).toBe('begun\n');
  });

  it('cuts what is too long, at a whole character', async () => {
    let given = 0;
    const gibibyte = collector(
      'big.log',
      async function* () {
        const piece = 'a line of a log that never ends ü\n'.repeat(30_000);
        for (; given < 1 << 30; given += piece.length) yield piece;
      },
      { maxBytes: 2 << 20, maxMs: 20_000 },
    );
    const before = process.memoryUsage().rss;
    const { manifest, bytes } = await packed(
      [gibibyte, collector('ü.json', async () => 'üüüü', { maxBytes: 4 }), collector('next.json', async () => 1)],
      { format },
    );
    const files = await unpacked(bytes);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
    expect(given).toBeLessThan(8 << 20);
    expect(files.get('big.log')!.length).toBeGreaterThan((2 << 20) - 4);
    expect(files.get('big.log')!.length).toBeLessThanOrEqual(2 << 20);
    expect(String(files.get('ü.json'))).toBe('"ü');
    expect(manifest.entries.map(({ bytes: size, truncated, note }) => [size, truncated, note])).toEqual([
      [files.get('big.log')!.length, true, `cut at ${files.get('big.log')!.length} bytes`],
      [3, true, 'cut at 3 bytes'],
      [2, undefined, undefined],
    ]);
  });

  it('is over when the sink fails, with its error', async () => {
    for (const room of [0, 100, 3000]) {
      const sink = new MemorySink();
      sink.write = (bytes) => {
        sink.parts.push(Buffer.from(bytes));
        return sink.bytes.length > room ? Promise.reject(new SpillwayError('OUTPUT_FAILED', 'there is no space left')) : Promise.resolve();
      };
      const noise = collector('noise', () => lines(...Array.from({ length: 3000 }, (_, i) => `${Math.sin(i)} ${Math.cos(i)}\n`)));
      await expect(packed([...some, noise, ...some.slice(2)], { format, sink })).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
    }
  });

  it('is over when it is cancelled: before, in a collector that waits, between two', async () => {
    const cancelled = async (collect: (abort: () => void) => Parameters<typeof collector>[1]): Promise<void> => {
      const controller = new AbortController();
      const waits = collector(
        'waits',
        collect(() => controller.abort()),
      );
      await expect(packed([some[0]!, waits, some[1]!], { format, signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    };
    await expect(packed(some, { format, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
    await cancelled(
      (abort) =>
        async function* () {
          yield 'begun';
          abort();
          await new Promise(() => undefined);
        },
    );
    await cancelled((abort) => () => {
      setImmediate(abort);
      return new Promise(() => undefined);
    });
    await cancelled((abort) => async () => abort());
  });
});

it('tar.gz takes no passphrase', async () => {
  await expect(packed(some, { format: 'tar.gz', passphrase: 'x' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
});

describe('other programs', () => {
  it.runIf(requireOrSkip('tar', hasProgram('tar')))('tar lists it', async () => {
    const path = folder.write('x.tar.gz', (await packed(some, { format: 'tar.gz' })).bytes);
    expect(tool('tar', 'tzf', path)).toEqual({ exit: 0, out: 'a/value.json\nb.log\nREADME.txt\nmanifest.json\n' });
    expect(tool('tar', 'tvzf', path).out).toMatch(/^-rw------- .* a\/value\.json\n/);
  });

  it.runIf(requireOrSkip('unzip', hasProgram('unzip')))('unzip lists it, and finds it whole', async () => {
    const plain = folder.write('plain.zip', (await packed(some)).bytes);
    expect(tool('unzip', '-l', plain)).toMatchObject({ exit: 0, out: expect.stringContaining('a/value.json') as string });
    expect(tool('unzip', '-t', plain)).toMatchObject({ exit: 0, out: expect.stringContaining('No errors detected') as string });
    const encrypted = folder.write('locked.zip', (await packed(some, { passphrase: 'correct horse' })).bytes);
    expect(tool('unzip', '-l', encrypted)).toMatchObject({ exit: 0, out: expect.stringContaining('manifest.json') as string });
  });

  it.runIf(requireOrSkip('7z (p7zip-full)', hasProgram('7z')))('7z opens it with the passphrase, and with no other', async () => {
    const path = folder.write('7z.zip', (await packed(some, { passphrase: 'corrëct horse' })).bytes);
    expect(tool('7z', 't', '-pcorrëct horse', path)).toMatchObject({ exit: 0, out: expect.stringContaining('Everything is Ok') as string });
    expect(tool('7z', 'l', '-slt', path).out.match(/Method = AES-256 Deflate/g)).toHaveLength(4);
    expect(tool('7z', 't', '-pcorrect horse', path)).toMatchObject({ exit: 2, out: expect.stringContaining('Wrong password') as string });
    expect(tool('7z', 'e', '-so', '-pcorrëct horse', path, 'manifest.json').out).toContain('"spillway-diagnostic-package/1"');
  });
});
