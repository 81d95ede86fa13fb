import { writeFileSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { KnownFiles } from '../../src/api/filesystem/facts.js';
import { entryOf } from '../../src/state/file-entry.js';
import { temporaryFolder } from '../support/temporary.js';
import { pcap } from './captures.js';

const folder = temporaryFolder();

it('a file that is known is not looked into again, until it changes', async () => {
  const known = new KnownFiles();
  const place = folder.write('x', pcap([]));
  const entry = async () => entryOf(['admin', 'x'], await lstat(place, { bigint: true }));
  const facts = { format: 'pcap_ns', linkType: 1 };
  expect(await known.at(await entry(), place)).toEqual(facts);
  expect(await known.at(await entry(), '/nowhere')).toEqual(facts);
  writeFileSync(place, 'a text');
  await expect(known.at(await entry(), '/nowhere')).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await known.at(await entry(), place)).toBeNull();
  expect(await known.at(await entry(), '/nowhere')).toBeNull();
});
