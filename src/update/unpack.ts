/** Unpacks a release into a folder: nothing but the files that its manifest names, each proven before it counts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isOfFullDisk, SpillwayError } from '../errors.js';
import { MANIFEST_NAME, type ReleaseManifest } from './manifest.js';
import { readPackage, type Demands } from './package-reader.js';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
/** Only the user who serves runs it. */
const [PLAIN, EXECUTABLE, FOLDER] = [0o600, 0o700, 0o700];

export interface Unpacking {
  /** Empty, and nobody else's. */
  folder: string;
  demands: Demands;
  signal: AbortSignal;
  /** Bytes of files so far. */
  progress: (bytes: number) => void;
}

/** What is in the folder is on the disk when it resolves. Rejects with a PACKAGE_ code, DISK_FULL or FILE_FAILED. */
export async function unpack(bytes: AsyncIterable<Uint8Array>, { folder, demands, signal, progress }: Unpacking): Promise<ReleaseManifest> {
  const made = new Set<string>();
  let done = 0;
  const { manifest } = await readPackage(bytes, demands, async ({ path, executable }, pieces) => {
    const place = join(folder, path);
    const above = dirname(place);
    if (!made.has(above)) await mkdir(above, { recursive: true, mode: FOLDER }).catch(refuse);
    made.add(above);
    const file = await open(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, executable ? EXECUTABLE : PLAIN).catch(refuse);
    try {
      for await (const piece of pieces) {
        signal.throwIfAborted();
        await file.writeFile(piece).catch(refuse);
        done += piece.length;
        progress(done);
      }
    } finally {
      await file.close();
    }
  });
  await writeFile(join(folder, MANIFEST_NAME), JSON.stringify(manifest), { mode: PLAIN, flag: 'wx' }).catch(refuse);
  await syncAll(folder, signal);
  return manifest;
}

function refuse(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  if (isOfFullDisk(error)) throw new SpillwayError('DISK_FULL', 'there is no space left for the release');
  throw new SpillwayError('FILE_FAILED', `the release can not be unpacked: ${code ?? message}`);
}

/** A file after the other would take some ten seconds for thousands of them. */
async function syncAll(folder: string, signal: AbortSignal): Promise<void> {
  const child = spawn('sync', ['--file-system', folder], { stdio: 'ignore', signal });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new SpillwayError('FILE_FAILED', 'the release can not be brought to the disk');
}
