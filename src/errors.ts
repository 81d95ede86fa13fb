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
  DISSECTOR_MISSING: { http: 501, exit: 2, about: 'a display filter needs tshark, which is not installed' },
  DISSECTOR_VERSION: { http: 501, exit: 2, about: 'a display filter needs tshark, and the one installed is of a version that is not known' },
  DISSECTOR_FAILED: { http: 500, exit: 2, about: 'tshark did not come to its end' },
  DISSECTOR_LIMIT: { http: 500, exit: 2, about: 'tshark took more memory or processor time than it may, or did nothing for too long' },
  SOURCE_NOT_FOUND: { http: 400, exit: 2, about: 'the source names nothing' },
  SOURCE_UNSUPPORTED: { http: 400, exit: 1, about: 'this kind of source is not served' },
  SOURCE_NOT_A_CAPTURE: { http: 400, exit: 2, about: 'the source is not a capture file (empty, a folder, unknown magic number, broken header)' },
  SOURCE_UNREADABLE: { http: 500, exit: 2, about: 'the system refuses to open or read the source' },
  SOURCE_EMPTY: { http: 400, exit: 2, about: 'nothing was captured yet, or nothing is left of the time range' },
  SOURCE_OVERWRITTEN: { http: 410, exit: 2, about: 'the buffer has let go of what the source names' },
  CLIP_NOT_FOUND: { http: 404, exit: 2, about: 'no clip has this id' },
  TOO_MANY_CLIPS: { http: 409, exit: 2, about: 'the job has as many clips as it may have' },
  CLIP_FIXED: { http: 409, exit: 2, about: 'job and range of a clip can not be changed' },
  CLIP_FORBIDDEN: { http: 403, exit: 2, about: 'the clip belongs to another user' },
  JOB_NOT_FOUND: { http: 404, exit: 2, about: 'no capture job has this id' },
  JOB_EXISTS: { http: 409, exit: 2, about: 'another capture job has this name' },
  TOO_MANY_JOBS: { http: 409, exit: 2, about: 'as many capture jobs as may exist do' },
  JOB_HAS_CLIPS: { http: 409, exit: 2, about: 'clips hold packets of the job that is to be deleted' },
  INTERFACE_NOT_FOUND: { http: 404, exit: 2, about: 'there is no network interface of this name' },
  INTERFACE_UNSUPPORTED: { http: 400, exit: 2, about: 'packets of this network interface can not be captured' },
  INTERFACE_TAKEN: { http: 409, exit: 2, about: 'the network interface belongs to another group' },
  VIFG_NOT_FOUND: { http: 404, exit: 2, about: 'no group of interfaces has this number' },
  VIFG_FIXED: { http: 409, exit: 2, about: 'the group is one that the probe makes: its members can not be changed, and it can not be deleted' },
  VIFG_IN_USE: { http: 409, exit: 2, about: 'a capture job that is enabled captures the group' },
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
  CANCELLED: { http: 409, exit: 2, about: 'the export, or the task, was cancelled' },
  RECEIPT_MISMATCH: { http: 500, exit: 2, about: 'what was sent is not what was expected' },
  INTERRUPTED: { http: 500, exit: 2, about: 'the server ended while the export was running' },
  EXPORT_NOT_FOUND: { http: 404, exit: 2, about: 'no export has this id' },
  EXPORT_STATE: { http: 409, exit: 2, about: 'the export is in a state that does not allow this' },
  FILE_NOT_FOUND: { http: 404, exit: 2, about: 'there is no file or folder of this name, or none that the caller may read' },
  FILE_NAME_INVALID: { http: 400, exit: 1, about: 'a name of a file is missing or can not be served' },
  FILE_FORBIDDEN: { http: 403, exit: 2, about: "the caller may not change files of another owner, or remove an owner's folder" },
  FILE_EXISTS: { http: 409, exit: 2, about: 'there is a file or folder of this name already' },
  FILE_WRONG_KIND: { http: 409, exit: 2, about: 'a folder stands where a file is needed, or the other way round' },
  DESTINATION_INVALID: { http: 400, exit: 1, about: 'the destination of a copy or move can not hold the file' },
  FOLDER_NOT_EMPTY: { http: 409, exit: 2, about: 'the folder that is to be deleted holds something' },
  FILE_CHANGED: { http: 409, exit: 2, about: 'the file changed while it was read' },
  FILE_FAILED: { http: 500, exit: 2, about: 'the system refuses to read or write a file' },
  TOO_MANY_FILES: { http: 409, exit: 2, about: 'there are more files or folders than one answer may list' },
  UPLOAD_TOO_LARGE: { http: 413, exit: 2, about: 'the file that is sent is over its limit' },
  TOO_MANY_UPLOADS: { http: 503, exit: 2, about: 'as many files as may be written at once are' },
  DISK_FULL: { http: 507, exit: 2, about: 'there is no space for the file, or for what is to be written down' },
  BUNDLE_INVALID: { http: 400, exit: 2, about: 'the file is no diagnostic package, or a damaged one' },
  BUNDLE_PASSPHRASE: { http: 400, exit: 2, about: 'the passphrase of the diagnostic package is missing or wrong' },
  RANGE_INVALID: { http: 416, exit: 2, about: 'the range asked for lies behind the end' },
  PRECONDITION_FAILED: { http: 412, exit: 2, about: 'If-Match names another version than the one that is there' },
  CHECKSUM_NOT_FOUND: { http: 404, exit: 2, about: 'no checksum of the file was asked for, or the file has changed since' },
  CHECKSUM_RUNNING: { http: 409, exit: 2, about: 'the checksum is not known yet' },
  TOO_MANY_CHECKSUMS: { http: 503, exit: 2, about: 'as many checksums as may wait to be made do' },
  TASK_NOT_FOUND: { http: 404, exit: 2, about: 'no task has this id' },
  TASK_STATE: { http: 409, exit: 2, about: 'the task is in a state that does not allow this' },
  TASK_RUNNING: { http: 409, exit: 2, about: 'a task that this one would collide with has not ended' },
  TASK_TIMEOUT: { http: 500, exit: 2, about: 'the task took longer than it may' },
  TASK_QUOTA: { http: 507, exit: 2, about: 'packages would take more space than they may' },
  TOO_MANY_TASKS: { http: 503, exit: 2, about: 'as many tasks as may wait do' },
  ARTIFACT_NOT_FOUND: { http: 404, exit: 2, about: 'no package has this id' },
  PACKAGE_INVALID: { http: 400, exit: 2, about: 'the file is no update package, or a damaged one' },
  PACKAGE_TAMPERED: { http: 400, exit: 2, about: 'the update package is not what its maker signed, or not what its manifest says' },
  PACKAGE_UNSIGNED: { http: 400, exit: 2, about: 'the update package is not signed, and only signed ones are taken' },
  PACKAGE_ARCHITECTURE: { http: 400, exit: 2, about: 'the update package is for another machine' },
  PACKAGE_NODE: { http: 400, exit: 2, about: 'the update package does not run on the Node that is here' },
  PACKAGE_TOO_OLD: { http: 400, exit: 2, about: 'the update package is of an older version than may be taken' },
  PACKAGE_NOT_FOUND: { http: 404, exit: 2, about: 'the repository has no update package of this id' },
  PACKAGE_IN_USE: { http: 409, exit: 2, about: 'an update or an export that has not ended needs the package' },
  KEY_NOT_FOUND: { http: 404, exit: 2, about: 'no key has this fingerprint' },
  KEY_EXISTS: { http: 409, exit: 2, about: 'the key is there already' },
  TOO_MANY_KEYS: { http: 409, exit: 2, about: 'as many keys as may exist do' },
  KEY_INVALID: { http: 400, exit: 2, about: 'the key is no Ed25519 key in PEM' },
  UPDATES_OFF: { http: 409, exit: 2, about: 'the server was not started so that it can be updated' },
  UPDATE_URL: { http: 400, exit: 2, about: 'the address of an update package is none of a peer' },
  DOWNLOAD_BROKEN: { http: 502, exit: 2, about: 'the download of an update package broke off again and again' },
  DOWNLOAD_WRONG: { http: 502, exit: 2, about: 'what was downloaded is not the update package that was announced' },
  UPDATE_FAILED: { http: 500, exit: 2, about: 'the update did not come to its end: the version that was there runs on, or runs again' },
  UPDATE_JOB_NOT_FOUND: { http: 404, exit: 2, about: 'no update job has this id' },
  UPDATE_JOB_STATE: { http: 409, exit: 2, about: 'the update job is in a state that does not allow this' },
  ROUTE_NOT_FOUND: { http: 404, exit: 2, about: 'no resource has this address' },
  METHOD_NOT_ALLOWED: { http: 405, exit: 2, about: 'the resource does not know this method' },
  BODY_TOO_LARGE: { http: 413, exit: 2, about: 'the request body is over its limit' },
  REQUEST_TIMEOUT: { http: 408, exit: 2, about: 'the request, or its body, did not arrive in time' },
  TOO_MANY_CONNECTIONS: { http: 503, exit: 2, about: 'as many connections as may be at work at once are' },
  NOT_READY: { http: 503, exit: 2, about: 'the probe can not do its work: its database, its disk or its threads fail it' },
  MEDIA_TYPE_UNSUPPORTED: { http: 415, exit: 2, about: 'the request body is not application/json' },
  CODING_UNSUPPORTED: { http: 400, exit: 1, about: 'the content coding asked for is not served' },
  TOO_MANY_EXPORTS: { http: 503, exit: 2, about: 'as many exports as may exist at once do' },
  TOO_MANY_EXPORTS_OF_USER: { http: 429, exit: 2, about: 'the user has as many exports as one may have at once' },
  SOURCE_FORBIDDEN: { http: 403, exit: 2, about: 'the user may not read the source' },
  CLIENT_TOO_SLOW: { http: 499, exit: 2, about: 'the client took no packets for a long time, and others were waiting' },
  AUTH_REQUIRED: { http: 401, exit: 2, about: 'the request needs a login and carries none' },
  AUTH_INVALID_CREDENTIALS: { http: 401, exit: 2, about: 'the user name or the password is wrong' },
  AUTH_INVALID_SESSION: { http: 401, exit: 2, about: 'the session has ended, or the token is not known' },
  AUTH_EXPIRED_TOKEN: { http: 401, exit: 2, about: 'the token has expired' },
  AUTH_LOCKED: { http: 429, exit: 2, about: 'too many wrong passwords came for this user or from this address' },
  AUTH_BUSY: { http: 503, exit: 2, about: 'more passwords wait to be checked than may' },
  RIGHT_MISSING: { http: 403, exit: 2, about: "the user's role does not allow this" },
  USER_NOT_FOUND: { http: 404, exit: 2, about: 'there is no user of this name' },
  USER_EXISTS: { http: 409, exit: 2, about: 'there is a user of this name already' },
  USER_LAST: { http: 409, exit: 2, about: 'without this user everybody on this machine could do everything' },
  TOKEN_NOT_FOUND: { http: 404, exit: 2, about: 'there is no such refresh token' },
  PROFILE_NOT_FOUND: { http: 404, exit: 2, about: 'no profile has this id or name' },
  PROFILE_EXISTS: { http: 409, exit: 2, about: 'there is a profile of this name already' },
  PROFILE_IN_USE: { http: 409, exit: 2, about: 'a peer is reached with the profile' },
  TOO_MANY_PROFILES: { http: 409, exit: 2, about: 'as many profiles as may exist do' },
  PEER_NOT_FOUND: { http: 404, exit: 2, about: 'no peer has this address' },
  PEER_EXISTS: { http: 409, exit: 2, about: 'there is a peer of this address already' },
  TOO_MANY_PEERS: { http: 409, exit: 2, about: 'as many peers as may exist do' },
  PEER_UNREACHABLE: { http: 502, exit: 2, about: 'nothing answers at the address of the peer' },
  PEER_FAILED: { http: 502, exit: 2, about: 'the peer is not the one that was configured, refuses the profile, or does not answer as a probe does' },
  HOST_FORBIDDEN: { http: 403, exit: 2, about: 'the Host header names another server' },
  ORIGIN_FORBIDDEN: { http: 403, exit: 2, about: 'a page of another site makes a request that changes something' },
  CSRF_INVALID: { http: 403, exit: 2, about: "a request that changes something comes by a session's cookie, and without the token of that session" },
  ADDRESS_FORBIDDEN: { http: 500, exit: 1, about: 'the probe does not listen beyond loopback without a login and TLS' },
  ADDRESS_UNAVAILABLE: { http: 500, exit: 2, about: 'the address to listen on is in use or not allowed' },
  TLS_UNUSABLE: { http: 500, exit: 2, about: 'the certificate or its key can not be read, or they do not belong together' },
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

/** What the system says of a full disk, and the database. */
const FULL = ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'];

/** Whether a full disk is behind it, whoever met that. */
export function isOfFullDisk(error: unknown): boolean {
  const errno = error instanceof SpillwayError ? error.metrics['errno'] : (error as { code?: string } | null)?.code;
  return FULL.includes(errno ?? '');
}

/** Any thrown value as a coded error; what has no code, and is not of a full disk, is a defect of ours. */
export function coded(error: unknown): SpillwayError {
  if (error instanceof SpillwayError) return error;
  if (isOfFullDisk(error)) return new SpillwayError('DISK_FULL', 'there is no space left on the disk of the probe');
  return new SpillwayError('INTERNAL', error instanceof Error ? error.message : String(error));
}
