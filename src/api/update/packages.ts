/** The repository's packages over REST. */
import type { FileSystem } from '../../state/filesystem.js';
import { formatEpoch, NS_PER_MS } from '../../units.js';
import { packageName } from '../../update/package-name.js';
import { importAll } from '../../update/repository-import.js';
import type { Repository, StoredPackage } from '../../update/repository.js';
import { link, rootOf, type Resource } from '../link.js';
import { bytesOfFile, sendRange } from '../ranges.js';
import { incoming } from './incoming.js';
import { UPDATE_SERVICE } from './name.js';
import { Package, Packages } from './schema.js';

const Gzip = { content: { 'application/gzip': { schema: { type: 'string', format: 'binary' } } } };

export function packageResources(repository: Repository, files: FileSystem): Record<'packages' | 'package', Resource> {
  const items = `${rootOf(UPDATE_SERVICE)}/packages/items`;
  return {
    packages: {
      schema: Packages,
      about: 'The update packages that this probe keeps.',
      self: '/packages',
      links: {
        get: link({
          method: 'GET',
          right: 'reader',
          about: 'List update packages',
          status: 200,
          answer: Packages,
          handle: () => ({ items: repository.list().map(shown) }),
        }),
        import: link({
          method: 'POST',
          right: 'operator',
          about: 'Import the body, a package or an export of a repository, or the file that it names as {"path": "fs/…"}',
          isRaw: true,
          status: 201,
          answer: Packages,
          handle: async ({ caller, request, reply }) => {
            try {
              const imported = await importAll(repository, await incoming(request, caller, files));
              const [first, ...more] = imported;
              if (first && more.length === 0) void reply.header('location', `${items}/${first.package.id}`);
              if (!imported.some(({ isNew }) => isNew)) void reply.code(200);
              return { items: imported.map((each) => shown(each.package)) };
            } catch (error) {
              // The client reads the answer when it has sent everything.
              request.raw.resume();
              throw error;
            }
          },
        }),
      },
    },
    package: {
      schema: Package,
      about: 'An update package.',
      self: '/packages/items/{id}',
      links: {
        get: link({
          method: 'GET',
          right: 'reader',
          about: 'Show an update package',
          status: 200,
          answer: Package,
          handle: ({ param }) => shown(repository.get(param('id'))),
        }),
        delete: link({
          method: 'DELETE',
          right: 'operator',
          about: 'Delete an update package that nothing needs',
          status: 204,
          answer: null,
          handle: ({ param }) => repository.remove(param('id')),
        }),
        download: link({
          method: 'GET',
          path: '/packages/items/{id}/file',
          right: 'reader',
          about: 'Fetch the file of an update package, or a range of it',
          isAudited: true,
          status: 200,
          answer: null,
          response: { 200: { description: 'The package', ...Gzip }, 206: { description: 'The range', ...Gzip } },
          handle: async ({ param, reply }) => {
            const found = repository.get(param('id'));
            const file = await repository.read(found.id);
            try {
              await sendRange(reply, bytesOfFile(file.fd, found.bytes), {
                etag: `"${found.sha256}"`,
                headers: {
                  'content-type': 'application/gzip',
                  'content-disposition': `attachment; filename=${packageName(found)}`,
                  'cache-control': 'private, no-cache',
                  'x-content-type-options': 'nosniff',
                },
              });
            } finally {
              await file.close();
            }
            return reply;
          },
        }),
      },
    },
  };
}

function shown(found: StoredPackage): object {
  const { id, version, platform, architecture, node, bytes, sha256, signer, madeMs, importedMs } = found;
  const times = { made: seconds(madeMs), imported: seconds(importedMs) };
  return { id, name: packageName(found), version, platform, architecture, node, bytes, sha256, signer, ...times };
}

const seconds = (ms: number): string => formatEpoch(BigInt(ms) * NS_PER_MS);
