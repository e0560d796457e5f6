// The least of a client of Lambda's Runtime API. AWS's own (aws-lambda-ric) has a part in C++ that is compiled when it
// is installed, which not every machine can.

import { Agent, request } from 'node:http';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new Agent({ keepAlive: true, noDelay: true });

/** Answers one event after the other with what `handle` makes of it. */
export async function serve(handle) {
  for (;;) {
    const event = await call('GET', 'next');
    const id = event.headers['lambda-runtime-aws-request-id'];
    try {
      const answer = await handle(JSON.parse(event.body));
      await call('POST', `${id}/response`, JSON.stringify(answer));
    } catch (error) {
      console.error(error);
      const answer = { errorType: error.name, errorMessage: error.message };
      await call('POST', `${id}/error`, JSON.stringify(answer));
    }
  }
}

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const to = { agent, host, port, method, headers, path: `/2018-06-01/runtime/invocation/${path}` };
    const sent = request(to, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(chunks).toString() }));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
