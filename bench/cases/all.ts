import type { Case } from '../context.js';
import { atOnceCase, firstByteCase, inARowCase } from './api.js';
import { bufferCase } from './buffer.js';
import { capinfosCase } from './capinfos.js';
import { displayCase } from './display.js';
import { editcapCase } from './editcap.js';
import { liveCase } from './live.js';
import { memoryCase } from './memory.js';
import { npmParsersCase } from './npm-parsers.js';
import { packageCase } from './package.js';
import { restCase } from './rest.js';
import { startupCase } from './startup.js';
import { tcpdumpCase } from './tcpdump.js';

/** In the order they run: memory last, for its largest file drives the others out of the page cache. */
export const CASES: readonly Case[] = [
  startupCase,
  tcpdumpCase,
  displayCase,
  editcapCase,
  capinfosCase,
  npmParsersCase,
  restCase,
  atOnceCase,
  inARowCase,
  firstByteCase,
  packageCase,
  bufferCase,
  liveCase,
  memoryCase,
];
