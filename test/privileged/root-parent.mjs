/** A root parent whose server is the one of the tests: `root-parent.mjs DATA_FOLDER USER`. */
import { fileURLToPath } from 'node:url';
import { serveAsUser } from '../../dist/privileged/serve.js';

const [dataFolder, user] = process.argv.slice(2);
const server = fileURLToPath(new URL('server.mjs', import.meta.url));
process.exit(await serveAsUser({ user, dataFolder, command: (data) => [process.execPath, server, data] }));
