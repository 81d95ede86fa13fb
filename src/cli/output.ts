/** Where an export's bytes go: standard output, a pipe or device by name, or a file that appears when it is whole. */
import { constants } from 'node:fs';
import { lstat, open, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Sink } from '../engine/types.js';
import { SpillwayError } from '../errors.js';
import type { Io } from './io.js';

const { O_WRONLY, O_NOCTTY } = constants;

/** Room in a pipe between us and its reader; 64 KiB, the system's default, would be the bottleneck. */
export const PIPE_BYTES = 1 << 20;

const STDOUT_NAMES = new Set(['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']);

/** An output that was looked at, not yet opened. */
export interface Output {
  kind: 'stdout' | 'direct' | 'file';
  /** Absolute, links followed; unused for stdout. */
  path: string;
  /** As the user named it. */
  name: string;
}

/** Checks what can be checked before any work; a slip of the user shall not cost a long scan. */
export async function checkOutput(name: string, io: Io): Promise<Output> {
  if (STDOUT_NAMES.has(name)) {
    if (io.stdout.isTerminal)
      throw new SpillwayError('OUTPUT_INVALID', 'a capture is binary and standard output is a terminal: give -o FILE or a pipe');
    return { kind: 'stdout', path: '', name: 'standard output' };
  }
  if (name.endsWith('/')) throw new SpillwayError('OUTPUT_INVALID', `${name} names a folder, not a file`);
  const path = resolve(io.cwd, name);
  // A link is followed, so that it stays and what it points to is replaced.
  const target = await realpath(path).catch(() => null);
  if (target === null) return { kind: 'file', path: await newFile(path, name), name };
  const there = await stat(target);
  if (there.isDirectory()) throw new SpillwayError('OUTPUT_INVALID', `${name} is a folder`);
  if (there.isSocket()) throw new SpillwayError('OUTPUT_INVALID', `${name} is a socket`);
  return { kind: there.isFile() ? 'file' : 'direct', path: target, name };
}

async function newFile(path: string, name: string): Promise<string> {
  const link = await lstat(path).catch(() => null);
  if (link !== null) throw new SpillwayError('OUTPUT_INVALID', `${name} is a link that leads nowhere`);
  const folder = await stat(dirname(path)).catch(() => null);
  if (folder === null) throw new SpillwayError('OUTPUT_INVALID', `${name}: there is no folder ${dirname(name)}`);
  if (!folder.isDirectory()) throw new SpillwayError('OUTPUT_INVALID', `${name}: ${dirname(name)} is no folder`);
  return path;
}

/** Opens it. A named pipe waits here for its reader. `mode`: permissions of a new file. */
export async function openSink(output: Output, mode?: number): Promise<Sink> {
  if (output.kind === 'file') {
    const { FileSink } = await import('../state/file-sink.js');
    return FileSink.open(output.path, mode === undefined ? {} : { mode });
  }
  const { FdSink } = await import('../export/fd-sink.js');
  if (output.kind === 'stdout') {
    await enlargePipe(1);
    return new FdSink(1);
  }
  const handle = await open(output.path, O_WRONLY | O_NOCTTY).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SpillwayError('OUTPUT_FAILED', `${output.name} can not be opened for writing: ${code ?? message}`);
  });
  await enlargePipe(handle.fd);
  return new ClosingSink(new FdSink(handle.fd, output.name), () => handle.close());
}

/** Also makes the other end's room, since a pipe has only one. Does nothing to what is no pipe. */
export async function enlargePipe(fd: number): Promise<void> {
  const { setPipeSize } = await import('../native.js');
  setPipeSize(fd, PIPE_BYTES);
}

/** A sink on a descriptor that is ours. */
class ClosingSink implements Sink {
  constructor(
    private readonly inner: Sink,
    private readonly close: () => Promise<void>,
  ) {}

  write(bytes: Uint8Array): Promise<void> {
    return this.inner.write(bytes);
  }

  async finish(): Promise<void> {
    await this.inner.finish();
    await this.close();
  }

  async abort(): Promise<void> {
    await this.inner.abort();
    await this.close().catch(() => undefined);
  }
}
