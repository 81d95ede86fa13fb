/** The ZIP package, told to do its work in this thread: a package is small, and workers of its own would outlive it. */
type Zip = typeof import('@zip.js/zip.js');

let loaded: Promise<Zip> | undefined;

/** Loaded when it is needed: it is large. */
export function loadZip(): Promise<Zip> {
  loaded ??= import('@zip.js/zip.js').then((zip) => {
    zip.configure({ useWebWorkers: false });
    return zip;
  });
  return loaded;
}
