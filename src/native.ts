/** Loads the native addon: the only place that does. What it offers is in native-contract.ts. */
import { createRequire } from 'node:module';
import { SpillwayError } from './errors.js';
import { fromRoot } from './root.js';
import type * as contract from './native-contract.js';

export type {
  BlockSums,
  Chosen,
  IndexAnswer,
  InterfaceInfo,
  LinkProgram,
  MergePlace,
  Need,
  OutputFormat,
  ShapeAndSelect,
  SourceInfo,
} from './native-contract.js';

/** Where the addon may lie, from the project's root: built here, or shipped in a package. */
const PLACES = ['build/Release/spillway.node', `prebuilds/${process.platform}-${process.arch}/spillway.node`];

function load(): typeof contract {
  const require = createRequire(import.meta.url);
  for (const place of PLACES) {
    try {
      return require(fromRoot(place)) as typeof contract;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new SpillwayError('SETUP_INCOMPLETE', 'the native addon is not built: run `npm start` or `npm run build`');
}

const addon = load();

export const {
  Selection,
  Scan,
  Merge,
  fileHeader,
  crc32c,
  crc32cCombine,
  verifyProgram,
  runProgram,
  setPipeSize,
  givePages,
  adviseLargePages,
  dropPages,
  probeIndex,
  filterNeeds,
  IndexFile,
  statisticsBlock,
  lockShared,
  openPipe,
  version,
} = addon;
export type Selection = contract.Selection;
export type Scan = contract.Scan;
export type IndexFile = contract.IndexFile;
export type Merge = contract.Merge;

/** The values of `Scan.step`. */
export const STATUS: contract.ScanStatus = {
  budget: 0,
  done: 1,
  outputFull: 2,
  limit: 3,
  needProgram: 4,
  damage: 5,
  mixedLinkTypes: 6,
  timeRange: 7,
  ioError: 8,
  needInput: 9,
  noBoundary: 10,
  alone: 11,
  badBlock: 12,
  needNext: 13,
};

/** Which stop rule ended a scan, in `Scan.report`. */
export const RULE = { packets: 1n, bytes: 2n, duration: 3n } as const;

/** The places in `Scan.report`. */
export const REPORT: contract.ReportIndex = {
  start: 0,
  end: 1,
  outBytes: 2,
  packetsRead: 3,
  packetsInWindows: 4,
  packetsOut: 5,
  capturedBytesOut: 6,
  minTime: 7,
  maxTime: 8,
  firstTime: 9,
  lastTime: 10,
  outMinTime: 11,
  outMaxTime: 12,
  outFirstTime: 13,
  crc32c: 14,
  blocksSkipped: 15,
  timesClamped: 16,
  packetsWithoutTime: 17,
  linkTypeOut: 18,
  detail: 19,
  detailOffset: 20,
  packetsCut: 21,
  capturedBytesRead: 22,
  wireBytesRead: 23,
  droppedPackets: 24,
  snapLengthOut: 25,
  interfaceCount: 26,
  sectionBase: 27,
  packetsSent: 28,
  capturedBytesCut: 29,
  numbered: 30,
  fields: 31,
};
