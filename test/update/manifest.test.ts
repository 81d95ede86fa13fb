/** Manifests: what one has to say, and every way not to. */
import { describe, expect, it } from 'vitest';
import { SpillwayError } from '../../src/errors.js';
import { UPDATE_LIMITS } from '../../src/update/limits.js';
import { idOf, isBefore, isPath, isVersion, parseManifest, type ReleaseManifest } from '../../src/update/manifest.js';
import { manifestOf, sha256 } from './packages.js';

const FILES = { 'bin/spillway': 'x', 'dist/a.js': 'yy' };
const parse = (manifest: unknown): ReleaseManifest => parseManifest(Buffer.from(typeof manifest === 'string' ? manifest : JSON.stringify(manifest)));
const codeOf = (manifest: unknown): string | null => {
  try {
    parse(manifest);
    return null;
  } catch (error) {
    return error instanceof SpillwayError ? error.code : String(error);
  }
};

/** A manifest of files that say something else, whose id is right all the same: only what is wrong is refused. */
const withFiles = (files: unknown): object => {
  const manifest = manifestOf(FILES);
  return { ...manifest, files, id: safeId({ ...manifest, files: files as ReleaseManifest['files'] }) };
};
const safeId = (manifest: ReleaseManifest): string => {
  try {
    return idOf(manifest);
  } catch {
    return '0'.repeat(24);
  }
};
const file = (more: object): object => ({ path: 'a', bytes: 1, sha256: sha256('x'), executable: false, ...more });
const paths = (...names: string[]): object => withFiles(names.map((path) => file({ path })));

describe('a manifest', () => {
  it('is read as it was written', () => {
    const manifest = manifestOf(FILES);
    expect(parse(manifest)).toEqual(manifest);
  });

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '7'],
    ['100,000 brackets', '['.repeat(100_000)],
    ['another format', { ...manifestOf(FILES), format: 'spillway-update-package/2' }],
    ['another member', { ...manifestOf(FILES), more: 1 }],
    ['another program', manifestOf(FILES, { name: 'other' })],
    ...[
      '',
      '1',
      '1.2',
      'v1.2.3',
      '1.2.3+4',
      '01.2.3',
      '1.2.3-',
      '1.2.3-.',
      '1.2.3-01',
      ' 1.2.3',
      `1.2.3-${'a'.repeat(60)}`,
      '99999999999999999999.0.0',
    ].map((version): [string, unknown] => [`the version ${JSON.stringify(version)}`, manifestOf(FILES, { version })]),
    ['a version that is a number', { ...manifestOf(FILES), version: 1 }],
    ['no system', manifestOf(FILES, { platform: '' })],
    ['a system with a slash', manifestOf(FILES, { platform: '../x' })],
    ['no processor', { ...manifestOf(FILES), architecture: null }],
    ...['', 'x'.repeat(201), 'new', '>=x.y'].map((node): [string, unknown] => [`the Node ${node}`, manifestOf(FILES, { node })]),
    ...[null, '1', 1.5, -1, 9e15, 1e400].map((createdMs): [string, unknown] => [`the time ${createdMs}`, { ...manifestOf(FILES), createdMs }]),
    ['no list of files', withFiles({})],
    ['no file', withFiles([])],
    ['a file that is null', withFiles([null])],
    ['a file that is a text', withFiles(['a'])],
    [
      'more files than may be',
      withFiles(Array.from({ length: UPDATE_LIMITS.files + 1 }, (_, i) => file({ path: `a${String(i).padStart(6, '0')}` }))),
    ],
    ['files out of order', paths('b', 'a')],
    ['a file twice', paths('a', 'a')],
    ['a file where another has a folder', paths('a', 'a/b')],
    ['one that stands between them', paths('a', 'a-b', 'a/b')],
    ['one further up', paths('a/b', 'a/b/c/d/e')],
    ...[1.5, -1, '1', null, UPDATE_LIMITS.fileBytes + 1].map((bytes): [string, unknown] => [
      `a file of ${bytes} bytes`,
      withFiles([file({ bytes })]),
    ]),
    ['more bytes than may be', withFiles([1, 2, 3, 4, 5].map((path) => file({ path: `${path}`, bytes: UPDATE_LIMITS.fileBytes })))],
    ['no hash', withFiles([file({ sha256: undefined })])],
    ['a hash in capitals', withFiles([file({ sha256: sha256('x').toUpperCase() })])],
    ['half a hash', withFiles([file({ sha256: 'ab' })])],
    ['a mode', withFiles([file({ executable: 0o4755 })])],
    ['a link', withFiles([file({ link: '/etc' })])],
    ['an id that is not its own', { ...manifestOf(FILES), id: '0'.repeat(24) }],
    ['the id of another version', { ...manifestOf(FILES), version: '1.2.4' }],
    ['no id', { ...manifestOf(FILES), id: undefined }],
  ])('with %s is none', (_, manifest) => {
    expect(codeOf(manifest)).toBe('PACKAGE_INVALID');
  });

  it('that is no UTF-8 is none', () => {
    const bytes = Buffer.from(JSON.stringify(manifestOf(FILES)).replace('bin/spillway', 'bin/spillw\u00e4'), 'latin1');
    expect(() => parseManifest(bytes)).toThrow(SpillwayError);
  });

  it('as large as may be is read in time', () => {
    const files = Array.from({ length: UPDATE_LIMITS.files }, (_, i) => file({ path: `${'d/'.repeat(60)}${String(i).padStart(6, '0')}` }));
    const text = JSON.stringify(withFiles(files));
    const before = process.cpuUsage();
    expect(codeOf(text)).toBe(null);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  });
});

describe('a path', () => {
  it.each(['a', 'a/b', '...', 'a..b', '.a/b', 'a b', 'ünder', '猫/x', '~', '-rf', `${'a'.repeat(100)}`, `${'a/'.repeat(70)}b`])(
    '%j is one',
    (path) => {
      expect(isPath(path)).toBe(true);
    },
  );

  it.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/..',
    'a/../b',
    './a',
    'a/.',
    'a\\b',
    '..\\a',
    'a\0b',
    'a\nb',
    'a\u007f',
    '\ud800',
    'a'.repeat(101),
    `${'ü'.repeat(51)}`,
    `${'a/'.repeat(71)}b`,
  ])('%j is none', (path) => {
    expect(isPath(path)).toBe(false);
    expect(codeOf(paths(path))).toBe('PACKAGE_INVALID');
  });

  it('comes before another by its bytes', () => {
    expect(isBefore('\uffee', '\u{10000}')).toBe(true);
    expect(isBefore('a', 'a')).toBe(false);
    expect(isBefore('b', 'a')).toBe(false);
  });
});

it.each([
  ['0.1.0', true],
  ['1.2.3-rc.1', true],
  ['1.2.3-rc.1+build', false],
  ['=1.2.3', false],
])('version %s: %s', (text, is) => {
  expect(isVersion(text)).toBe(is);
});
