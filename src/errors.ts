/**
 * The one table of error codes. Every failure a user can meet is a `SpillwayError` with one of these codes;
 * docs/errors.md lists the same codes (a test compares them). `http` is the status a REST route answers with,
 * `exit` the exit code of the command line (1 usage, 2 runtime).
 */
export const ERRORS = {
  REQUEST_INVALID: { http: 400, exit: 1, about: 'the request is malformed or has a property that is not known' },
  TIME_INVALID: { http: 400, exit: 1, about: 'a time, range or duration can not be read, or ends before it begins' },
  FILTER_INVALID: { http: 400, exit: 1, about: 'the filter is not of its language' },
  FILTER_TOO_COMPLEX: { http: 400, exit: 1, about: 'the filter passes the limits on text length, depth, size, compile time or memory' },
  FILTER_LINK_TYPE: { http: 400, exit: 1, about: 'the filter can not be compiled for a link type of the source' },
  FILTER_UNSUPPORTED: { http: 400, exit: 1, about: 'the filter language is not served' },
  SOURCE_NOT_FOUND: { http: 400, exit: 2, about: 'the source names nothing' },
  SOURCE_UNSUPPORTED: { http: 400, exit: 1, about: 'this kind of source is not served' },
  SOURCE_NOT_A_CAPTURE: { http: 400, exit: 2, about: 'the source is not a capture file (empty, a folder, unknown magic number, broken header)' },
  SOURCE_UNREADABLE: { http: 500, exit: 2, about: 'the system refuses to open or read the source' },
  SOURCE_EMPTY: { http: 404, exit: 2, about: 'nothing was captured yet, or nothing is left of the time range' },
  SOURCE_OVERWRITTEN: { http: 410, exit: 2, about: 'the buffer has let go of what the source names' },
  CLIP_NOT_FOUND: { http: 404, exit: 2, about: 'no clip has this id' },
  TOO_MANY_CLIPS: { http: 409, exit: 2, about: 'the job has as many clips as it may have' },
  JOB_HAS_CLIPS: { http: 409, exit: 2, about: 'clips hold packets of the job that is to be deleted' },
  MODE_UNSUPPORTED: { http: 400, exit: 1, about: 'this export mode is not served' },
  INTERFACE_NOT_FOUND: { http: 404, exit: 2, about: 'there is no network interface of this name' },
  INTERFACE_UNSUPPORTED: { http: 400, exit: 2, about: 'packets of this network interface can not be captured' },
  CAPTURE_NOT_PERMITTED: { http: 403, exit: 2, about: 'capturing needs root, or CAP_NET_RAW' },
  CAPTURE_FOLDER_UNUSABLE: { http: 500, exit: 2, about: "the job's folder can not be made, read or written" },
  CAPTURE_FOLDER_NEWER: { http: 500, exit: 2, about: "a newer version wrote the job's folder" },
  CAPTURE_FOLDER_LOCKED: { http: 409, exit: 2, about: 'the job is captured already' },
  CAPTURE_NO_MEMORY: { http: 503, exit: 2, about: 'there is no memory for the ring or the queue of the capture' },
  CAPTURE_FAILED: { http: 500, exit: 2, about: 'the capture ended' },
  OUTPUT_INVALID: { http: 400, exit: 1, about: 'the output file name is missing, not allowed or outside its place' },
  OUTPUT_FORBIDDEN: { http: 403, exit: 1, about: "the output file would lie in another owner's folder" },
  OUTPUT_LINK_TYPES: { http: 409, exit: 2, about: 'PCAP can not hold packets of more than one link type' },
  OUTPUT_TIME_RANGE: { http: 409, exit: 2, about: 'the output format can not hold the time of a packet' },
  OUTPUT_FAILED: { http: 500, exit: 2, about: 'writing the output failed' },
  CLIENT_LEFT: { http: 499, exit: 2, about: 'the reader of the output left before its end' },
  CANCELLED: { http: 409, exit: 2, about: 'the export was cancelled' },
  RECEIPT_MISMATCH: { http: 500, exit: 2, about: 'what was sent is not what was expected' },
  INTERRUPTED: { http: 500, exit: 2, about: 'the server ended while the export was running' },
  EXPORT_NOT_FOUND: { http: 404, exit: 2, about: 'no export has this id' },
  EXPORT_STATE: { http: 409, exit: 2, about: 'the export is in a state that does not allow this' },
  ROUTE_NOT_FOUND: { http: 404, exit: 2, about: 'no resource has this address' },
  METHOD_NOT_ALLOWED: { http: 405, exit: 2, about: 'the resource does not know this method' },
  BODY_TOO_LARGE: { http: 413, exit: 2, about: 'the request body is over its limit' },
  MEDIA_TYPE_UNSUPPORTED: { http: 415, exit: 2, about: 'the request body is not application/json' },
  CODING_UNSUPPORTED: { http: 400, exit: 1, about: 'the content coding asked for is not served' },
  TOO_MANY_EXPORTS: { http: 503, exit: 2, about: 'as many exports as may exist at once do' },
  HOST_FORBIDDEN: { http: 403, exit: 2, about: 'the Host header names another server' },
  ORIGIN_FORBIDDEN: { http: 403, exit: 2, about: 'a page of another site makes a request that changes something' },
  ADDRESS_FORBIDDEN: { http: 500, exit: 1, about: 'the probe does not listen beyond loopback without a login' },
  ADDRESS_UNAVAILABLE: { http: 500, exit: 2, about: 'the address to listen on is in use or not allowed' },
  DATA_FOLDER_UNUSABLE: { http: 500, exit: 2, about: 'the data folder can not be made, read or written, or a newer version made it' },
  DATA_FOLDER_LOCKED: { http: 500, exit: 2, about: 'another probe uses the data folder' },
  PROGRAM_UNREACHABLE: { http: 500, exit: 2, about: "the user who is to serve can not reach the program's folder" },
  SETUP_INCOMPLETE: { http: 500, exit: 2, about: 'a part that the command needs is not installed' },
  INTERNAL: { http: 500, exit: 2, about: 'a defect of ours' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** A failure with a code of the table and one sentence that names what is wrong and where. */
export class SpillwayError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    /** Details as key and value, for `status.error.error_metrics`. */
    readonly metrics: Record<string, string> = {},
  ) {
    super(message);
    this.name = 'SpillwayError';
  }
}

/** Any thrown value as a coded error; what has no code is a defect of ours. */
export function coded(error: unknown): SpillwayError {
  if (error instanceof SpillwayError) return error;
  return new SpillwayError('INTERNAL', error instanceof Error ? error.message : String(error));
}
