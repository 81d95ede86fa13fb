/**
 * The root process above a server: starts it as another user, starts captures for it, hands signals on, and does nothing
 * else. When it ends the server ends, too; captures go on.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { runInBackground } from '../capture/background.js';
import { captureArguments, captureExecutable } from '../capture/executable.js';
import { LINE_MAX, PROGRAM_FILE, refusing, type CaptureAnswer } from '../capture/parent.js';
import { linesOf } from '../capture/lines.js';
import { asUser, type View } from './as-user.js';
import { jobFolder, readRequest } from './request.js';
import type { User } from './user.js';

export interface Household {
  user: User;
  view: View;
  /** Without links. */
  dataFolder: string;
}

/** Answers the server's requests, one after another, until it ends or sends what no server of ours sends. */
export async function answerRequests(server: Duplex, household: Household): Promise<void> {
  try {
    for await (const line of linesOf(server, LINE_MAX)) {
      const answer = `${JSON.stringify(await startCapture(line, household))}\n`;
      if (!server.write(answer)) await once(server, 'drain');
    }
  } catch {
    // Its end of the way is broken, or the line was too long.
  }
  server.destroy();
}

/** The executable begins as the user already, with what opens its sockets: the user may be able to write to it. */
async function startCapture(line: string, { user, view, dataFolder }: Household): Promise<CaptureAnswer> {
  try {
    const request = readRequest(line);
    const folder = jobFolder(dataFolder, request.id, user);
    const args = captureArguments(folder, request.program ? `${folder}/${PROGRAM_FILE}` : null, request);
    await runInBackground(asUser(user, view, [captureExecutable(), ...args], 'net_raw'));
    return { ok: true };
  } catch (error) {
    return refusing(error);
  }
}
