// The most a plain Node HTTP server gives: answers every request with BYTES bytes, written 1 MiB at a time as fast as
// the client takes them. Prints its address.
'use strict';
const http = require('node:http');

const total = Number(process.argv[2]);
const buffer = Buffer.alloc(1 << 20, 0x5a);

function send(response, left) {
  while (left > 0) {
    const piece = left >= buffer.length ? buffer : buffer.subarray(0, left);
    left -= piece.length;
    if (!response.write(piece)) {
      response.once('drain', () => send(response, left));
      return;
    }
  }
  response.end();
}

const server = http.createServer((_, response) => {
  response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
  send(response, total);
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
