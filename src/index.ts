/** Spillway as a library: exports and reports over capture files, filters, and the errors they end with. */
export { prepareExport, type PreparedExport, type RunOptions } from './engine/export.js';
export { inspect, type InspectOptions, type SourceReport } from './engine/inspect.js';
export type * from './engine/types.js';
export { EXPORT_FORMATS } from './engine/types.js';
export { compileFilter } from './filter/compile.js';
export { compileText } from './filter/languages.js';
export { coded, ERRORS, SpillwayError, type ErrorCode } from './errors.js';
