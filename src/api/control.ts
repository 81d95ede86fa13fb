/**
 * The probe's own socket, `spillway.sock` in the data folder: the same services for the command line on this machine. Only
 * the probe's user can open it, so nobody has to log in there.
 */
import { once } from 'node:events';
import { unlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.js';
import { LIMITS } from '../config.js';
import { SpillwayError } from '../errors.js';
import { shortNamed, type OpenFolder } from '../state/folder.js';
import { answerUnreadable } from './errors.js';

export const CONTROL_SOCKET = 'spillway.sock';

export class ControlSocket {
  private constructor(
    private readonly server: Server,
    private readonly folder: OpenFolder,
  ) {}

  /** The caller has the lock on the data folder: a socket that lies there is nobody's. */
  static async open(app: FastifyInstance, dataFolder: string, access: Access): Promise<ControlSocket> {
    const folder = await shortNamed(dataFolder);
    const path = `${folder.path}/${CONTROL_SOCKET}`;
    const server = createServer({ maxHeaderSize: LIMITS.headerBytes, requireHostHeader: false }, app.routing);
    server.on('connection', (connection) => access.trust(connection));
    server.on('clientError', answerUnreadable);
    try {
      await unlink(path).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
      listenPrivately(server, path);
      await once(server, 'listening');
    } catch (error) {
      await folder.close();
      throw new SpillwayError('DATA_FOLDER_UNUSABLE', `the socket ${dataFolder}/${CONTROL_SOCKET} can not be made: ${(error as Error).message}`);
    }
    return new ControlSocket(server, folder);
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
    // The name of the socket goes through it.
    await this.folder.close();
  }
}

/**
 * Nobody else may connect, not even between making the file and changing its mode; `listen` makes it before it returns. What other
 * threads make meanwhile has this mask, too: a folder has to remain one that its owner can enter.
 */
function listenPrivately(server: Server, path: string): void {
  const before = process.umask(0o077);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
}
