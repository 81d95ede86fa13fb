/** The servers that downloads are measured against: started, heard, and always ended. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BenchRefusal } from '../../bench/refusal.js';
import { Server } from '../../bench/server.js';

const BARE = fileURLToPath(new URL('../../bench/peers/bare-http.cjs', import.meta.url));

describe('Server', () => {
  it('serves until it is stopped, every byte asked for', async () => {
    const server = await Server.start([process.execPath, BARE, '3000001']);
    try {
      const body = await (await fetch(server.address)).arrayBuffer();
      expect(body.byteLength).toBe(3_000_001);
      expect(server.cpuSeconds()).toBeGreaterThan(0);
      const anonymous = server.anonymous()();
      expect(anonymous).toBeGreaterThan(1e6);
      expect(anonymous).toBeLessThan(1e9);
    } finally {
      await server.stop();
    }
    await expect(fetch(server.address)).rejects.toThrow();
    await server.stop(); // again is no harm
  });

  it('refuses a command that ends without an address, with what it said', async () => {
    await expect(Server.start([process.execPath, '-e', 'console.error("the folder is locked"); process.exit(2)'])).rejects.toThrow(
      /exit code 2: the folder is locked/,
    );
    await expect(Server.start(['/nonesuch'])).rejects.toThrow(BenchRefusal);
  });
});
