/** Asking for a password: on a terminal without showing it, or as the first line of standard input. Never from an argument, which others could see. */
import { readSync } from 'node:fs';
import { SpillwayError } from '../errors.js';
import type { Io } from './io.js';

/** More than any password that is taken. */
const LINE_MAX = 4096;

export const PASSWORD_FLAG = { name: 'password-stdin', about: 'read the password from the first line of standard input' };

/** `confirms`: asked twice on a terminal, where a slip of the finger does not show. */
export async function readPassword(io: Io, fromStdin: boolean, prompt: string, confirms = true): Promise<string> {
  if (fromStdin) return firstLine();
  if (!io.stdinIsTerminal) throw new SpillwayError('REQUEST_INVALID', 'standard input is no terminal to ask for a password: use --password-stdin');
  const password = await askHidden(io, `${prompt}: `);
  if (confirms && (await askHidden(io, 'Once more: ')) !== password) throw new SpillwayError('REQUEST_INVALID', 'the two passwords differ');
  return password;
}

function firstLine(): string {
  const bytes = Buffer.alloc(LINE_MAX);
  let length = 0;
  while (length < LINE_MAX && !bytes.subarray(0, length).includes(0x0a)) {
    const read = readSync(0, bytes, length, 1, null);
    if (read === 0) break;
    length += read;
  }
  return bytes
    .subarray(0, length)
    .toString()
    .replace(/\r?\n$/, '');
}

/** The terminal's echo is off while it is typed; Ctrl-C ends the program as it always does. */
function askHidden(io: Io, prompt: string): Promise<string> {
  const { stdin } = process;
  // First: who is quick to answer would see it otherwise.
  stdin.setRawMode(true);
  io.stderr.write(prompt);
  stdin.setEncoding('utf8');
  return new Promise<string>((resolve, reject) => {
    let typed = '';
    const done = (settle: () => void): void => {
      stdin.removeListener('data', take);
      stdin.setRawMode(false);
      stdin.pause();
      io.stderr.write('\n');
      settle();
    };
    const take = (text: string): void => {
      for (const character of text) {
        if (character === '\r' || character === '\n') return done(() => resolve(typed));
        if (character === '\u0003') return done(() => process.kill(process.pid, 'SIGINT'));
        if (character === '\u0004') return done(() => reject(new SpillwayError('REQUEST_INVALID', 'no password was given')));
        if (character === '\u007f' || character === '\b') typed = [...typed].slice(0, -1).join('');
        else typed += character;
      }
    };
    stdin.on('data', take);
    stdin.resume();
  });
}
