/** Hundreds of secrets, in every section, through every kind of package: none comes out. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { BUNDLE_FORMATS, type BundleFormat } from '../../src/bundle/bundle.js';
import { SECTIONS, VERBOSITIES, type Collector, type Section } from '../../src/bundle/collector.js';
import { BLANK } from '../../src/bundle/redact.js';
import { collector, packed, unpacked } from './packages.js';
import { SHAPES, type Planted, type Shape } from './secrets.js';

/** For each section, and for what is in every package: shapes of secrets as text, or in values. Each shape stands in two of them. */
function plant(section: Section | null, at: number): { shapes: Shape[]; planted: Planted[]; collectors: Collector[] } {
  const shapes = SHAPES.filter((_, i) => i % 7 === at || (i + 3) % 7 === at);
  const planted = shapes.map(({ plant: make }) => make());
  const own = section ?? 'always';
  const text = `${planted.map((each) => each.text).join('\n')}\n`;
  async function* pieces(): AsyncGenerator<string> {
    for (let from = 0; from < text.length; from += 997) yield text.slice(from, from + 997);
  }
  const values = planted.map(({ secret, text: message }, id) => ({ id, password: secret, headers: [['cookie', secret]], log: { message } }));
  return {
    shapes,
    planted,
    collectors: [
      at % 2 === 0 ? collector(`${own}/log.txt`, pieces, { section }) : collector(`${own}/values.json`, async () => ({ values }), { section }),
      collector(`${own}/fails.txt`, () => Promise.reject(new Error(`failed with ${planted[0]!.text}`)), { section }),
    ],
  };
}

const hash = `scrypt:15:8:1:${randomBytes(16).toString('base64url')}:${randomBytes(32).toString('base64url')}`;
const token = randomBytes(32).toString('base64url');
const groups = [null, ...SECTIONS].map(plant);
const secrets = [...groups.flatMap(({ planted }) => planted), { secret: token }].map(({ secret }) => secret);
const collectors = [
  ...groups.flatMap((group) => group.collectors),
  collector('status/users.json', async () => [{ name: 'ann', note: hash }], { section: 'status' }),
  collector('users.json', async () => [{ name: 'ann', password: hash, session: token, access_token: hash }], { section: 'user_credentials' }),
];

/** Hashes of passwords that were planted may stay where users are: they are what that section is for. */
const HASHES = new Set(['our scrypt', 'scrypt', 'argon2', 'bcrypt', 'crypt', 'yescrypt', 'pbkdf2', 'LDAP']);
const users = groups.at(-1)!;
const hashes = new Set(users.planted.filter((_, i) => HASHES.has(users.shapes[i]!.name)).map(({ secret }) => secret));

const unlike = new Set(secrets.map((secret) => secret));

/** Every secret that the bytes hold. One pass: each place where the first eight characters of one stand is looked at. */
const heads = new Map<string, string[]>();
for (const secret of unlike) heads.set(secret.slice(0, 8), [...(heads.get(secret.slice(0, 8)) ?? []), secret]);
function found(text: string): string[] {
  const hits: string[] = [];
  for (let at = 0; at + 8 <= text.length; at++) {
    for (const secret of heads.get(text.substring(at, at + 8)) ?? []) if (text.startsWith(secret, at)) hits.push(secret);
  }
  return hits;
}

it('there are enough of them, and the search finds them', () => {
  expect(unlike.size).toBeGreaterThanOrEqual(200);
  expect(groups.flatMap(({ planted }) => planted).every(({ text, secret }) => found(text).includes(secret))).toBe(true);
});

/** Redaction comes before the archive: a ZIP with and without a passphrase is made of no section, of each alone and of all. */
const formatsOf = (sections: readonly Section[]): readonly BundleFormat[] =>
  sections.length < 2 || sections.length === SECTIONS.length ? BUNDLE_FORMATS : ['tar.gz'];

const combinations = Array.from({ length: 2 ** SECTIONS.length }, (_, bits) => SECTIONS.filter((__, i) => (bits >> i) & 1));

it(`of ${unlike.size} secrets none is in any of the packages`, { timeout: 60_000 }, async () => {
  const seen = new Map<string, string[]>();
  for (const [at, sections] of combinations.entries()) {
    for (const verbosity of VERBOSITIES) {
      for (const format of formatsOf(sections)) {
        for (const passphrase of format === 'zip' ? [null, 'correct horse'] : [null]) {
          const { manifest, bytes } = await packed(collectors, { wish: { verbosity, sections }, format, passphrase });
          expect(manifest.entries.filter(({ file }) => file === null)).toHaveLength(sections.length + 1);
          expect(found(bytes.toString('latin1'))).toEqual([]);
          for (const [path, data] of await unpacked(bytes, passphrase)) {
            const text = data.toString();
            // Most files are the same again.
            if (!seen.has(text)) seen.set(text, found(text));
            const isUsers = path.startsWith('user');
            expect(
              seen.get(text)!.filter((secret) => !isUsers || !hashes.has(secret)),
              `${path} of ${sections.join()} ${at}`,
            ).toEqual([]);
            if (path.endsWith('log.txt')) expect(text.split(BLANK).length).toBeGreaterThan(30);
            expect(text.includes(hash), path).toBe(path === 'users.json');
            if (path === 'users.json') expect(JSON.parse(text)).toEqual([{ name: 'ann', password: hash, session: BLANK, access_token: BLANK }]);
          }
        }
      }
    }
  }
});
