/** What the addresses of the packet export API share. */
import Type from 'typebox';
import type { Given } from '../../export/handle.js';
import type { Export } from '../../export/schema.js';

export const BASE = '/api/npm.packet_export/1.3';
/** Where the routes stand on the OpenAPI page; what has no tag is not shown. */
export const TAGS = ['npm.packet_export 1.3'];

/** Ids are everything behind `items/`, slashes included. */
export const Id = Type.Object({ '*': Type.String({ description: 'Id of the export' }) });

/** What counts of an export that a client sends: members that only the probe writes are ignored. */
export function given({ config, id: _id, status: _status, receipt: _receipt, ...additions }: Export): Given {
  return { config, additions };
}
