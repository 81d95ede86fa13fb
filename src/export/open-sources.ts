/** Opens what an export reads, for those who may read it, and the place that it writes to. */
import { mayRead, type Caller } from '../access/caller.js';
import { shareOut } from '../engine/answered-by.js';
import { SpillwayError } from '../errors.js';
import type { FileSystem, Opened } from '../state/filesystem.js';
import type { Dependencies } from './contract.js';
import type { ExportHandle } from './handle.js';
import type { CheckedRequest } from './request.js';

/** The handle holds what is opened. */
export async function openSources(
  { held, given }: ExportHandle,
  caller: Caller,
  { source, isFollowed, selection }: CheckedRequest,
  { files, openCaptured }: Pick<Dependencies, 'files' | 'openCaptured'>,
): Promise<NonNullable<ExportHandle['sources']>> {
  const { windows, filters } = selection;
  const seen = shareOut(filters).dissected.length > 0 ? selection.seen : undefined;
  const admit = (names: readonly string[]): void => {
    if (!mayRead(caller, names)) throw new SpillwayError('SOURCE_FORBIDDEN', `${caller.name} may not read ${names[0]}`);
  };
  if (source.kind === 'fs') {
    admit([`fs/${source.name}`]);
    const file = await files.openFile(source.name, given.config.path);
    held.push(file);
    return { sources: [{ fd: file.fd, name: file.name }], windows, filters };
  }
  const captured = await openCaptured(source, { windows, ...(seen && { seen }), isFollowed, mayBeEmpty: true, admit });
  held.push(captured);
  const sources = captured.lanes.map((lane) => ({ lane, name: lane.name }));
  return { sources, windows: [...captured.windows], ...(captured.seen && { seen: captured.seen }), filters: [...filters, ...captured.filters] };
}

/** A user's folder is made with the first thing in it. */
export async function openPlace(files: FileSystem, output: string, owner: string): Promise<Opened> {
  if (output.startsWith(`/${owner}/`)) await files.makeOwnersFolder(owner);
  return files.place(output, owner);
}
