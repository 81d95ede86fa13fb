/** What clients bind to. */
export const UPDATE_SERVICE = { name: 'spillway.update', version: '1.0' } as const;
