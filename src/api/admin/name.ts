/** What clients bind to. */
export const ADMIN_SERVICE = { name: 'spillway.admin', version: '1.0' } as const;
