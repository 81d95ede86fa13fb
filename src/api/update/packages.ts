/** The repository's packages over REST. */
import type { FileSystem } from '../../state/filesystem.js';
import { packageName } from '../../update/package-name.js';
import { importAll } from '../../update/repository-import.js';
import type { Repository } from '../../update/repository.js';
import { shownPackage } from '../../update/shown.js';
import { link, rootOf, type Resource } from '../link.js';
import { sendFile } from '../send-file.js';
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
          handle: () => ({ items: repository.list().map(shownPackage) }),
        }),
        import: link({
          method: 'POST',
          right: 'operator',
          about: 'Import the body, a package or an export of a repository, or the file that it names as {"path": "fs/…"}',
          isRaw: true,
          status: 201,
          answer: Packages,
          handle: async ({ caller, request, reply }) => {
            const imported = await importAll(repository, await incoming(request, caller, files));
            const [first, ...more] = imported;
            if (first && more.length === 0) void reply.header('location', `${items}/${first.package.id}`);
            if (!imported.some(({ isNew }) => isNew)) void reply.code(200);
            return { items: imported.map((each) => shownPackage(each.package)) };
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
          handle: ({ param }) => shownPackage(repository.get(param('id'))),
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
            const { bytes, sha256: etag } = found;
            return sendFile(reply, await repository.read(found.id), { bytes, etag, type: 'application/gzip', filename: packageName(found) });
          },
        }),
      },
    },
  };
}
