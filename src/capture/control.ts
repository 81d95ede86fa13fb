/** The way to a running capture: one command, one answer, over the socket in its folder (native/capture/control.h). */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SpillwayError } from '../errors.js';
import { lockShared } from '../native.js';
import type { CaptureState } from '../buffer/marks.js';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

export interface InterfaceStatus {
  position: number;
  name: string;
  state: CaptureState;
  packets: number;
  bytes: number;
  received: number;
  lost: { ring: number; queue: number; disk: number };
}

export interface CaptureStatus {
  version: string;
  pid: number;
  started_at_ns: number;
  stored_bytes: number;
  segments: number;
  oldest_ns: number;
  interfaces: InterfaceStatus[];
}

/** A capture answers at once; a disk that hangs may hold it up. */
const ANSWER_MS = 5000;
/** It ends as soon as what it has is on the disk. */
const LOOK_MS = 20;

/** Rejects with INTERNAL when the capture refuses or answers nothing; null where no capture runs. */
export async function command(folder: string, text: string): Promise<Record<string, unknown> | null> {
  const line = await ask(folder, text);
  if (line === null) return null;
  const answer = JSON.parse(line) as Record<string, unknown>;
  if (answer['ok'] !== true) throw new SpillwayError('INTERNAL', `the capture refuses ${text}: ${String(answer['error_text'])}`);
  return answer;
}

export async function captureStatus(folder: string): Promise<CaptureStatus | null> {
  return (await command(folder, 'status')) as CaptureStatus | null;
}

/** Resolves when it has let go of its folder; false where none ran. */
export async function stopCapture(folder: string): Promise<boolean> {
  const ran = (await command(folder, 'stop')) !== null;
  while (ran && (await captureStatus(folder).catch(() => null)) !== null) await sleep(LOOK_MS);
  // Its socket goes before its lock does, and whoever captures next needs that.
  await lockIsFree(folder);
  return ran;
}

async function lockIsFree(folder: string): Promise<void> {
  const lock = await open(join(folder, 'lock'), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => null);
  try {
    for (const until = Date.now() + ANSWER_MS; lock && !lockShared(lock.fd) && Date.now() < until;) await sleep(LOOK_MS);
  } finally {
    await lock?.close();
  }
}

/** The name of a socket may have 107 bytes, so the folder is named by its descriptor. */
async function ask(folder: string, text: string): Promise<string | null> {
  const opened = await open(folder, O_RDONLY | O_DIRECTORY).catch((error: unknown) => error as NodeJS.ErrnoException);
  if (opened instanceof Error) {
    if (opened.code === 'ENOENT' || opened.code === 'ENOTDIR') return null;
    throw opened;
  }
  try {
    return await askAt(`/proc/self/fd/${opened.fd}/control.sock`, text);
  } finally {
    await opened.close();
  }
}

function askAt(path: string, text: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new SpillwayError('INTERNAL', 'the capture does not answer')));
    socket.on('connect', () => socket.write(`${text}\n`));
    socket.on('data', (part: string) => {
      answer += part;
      const end = answer.indexOf('\n');
      if (end < 0) return;
      socket.destroy();
      resolve(answer.slice(0, end));
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null);
      else reject(error);
    });
    // It may end before it has answered, as after `stop`.
    socket.on('close', () => resolve(answer === '' ? null : answer));
  });
}
